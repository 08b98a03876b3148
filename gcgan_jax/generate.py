"""Many images of a generator, streamed from all devices of this process."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from gcgan_jax.config import Config
from gcgan_jax.devices import AXIS, replicate
from gcgan_jax.draws import draw_latents
from gcgan_jax.errors import UserError
from gcgan_jax.gan import build_gan, images_of
from gcgan_jax.log import say

TOLD_EVERY = 10  # seconds

Batch = Array | np.ndarray  # uint8 [devices, images of each, H, W, 3]
Tree = Any


def make_generate(
    config: Config, key: Array, samples: int, devices: Sequence[jax.Device]
) -> Callable[[Tree], Iterator[Array]]:
    """generate(variables) -> at least `samples` images, uint8 [devices, images of each, H, W, 3].

    Args:
        key: of the latents, which follow from it and their number alone.

    Raises:
        UserError: config.eval.batch_size does not divide by the devices.
    """
    size = config.eval.batch_size
    if size % len(devices):
        raise UserError(
            f"config.eval.batch_size = {size} does not divide by the {len(devices)} devices: "
            f"choose a multiple of {len(devices)}"
        )
    gan = build_gan(config, AXIS)

    @jax.default_matmul_precision(config.matmul_precision)
    def generate(variables: Tree, positions: Array) -> Array:
        z = draw_latents(key, positions, gan.latent_size)
        return images_of(gan, variables, z, config.eval.batch_norm)

    mapped = jax.pmap(generate, axis_name=AXIS, in_axes=(None, 0), devices=devices)

    def batches(variables: Tree) -> Iterator[Array]:
        variables = replicate(jax.device_get(variables), devices)
        for start in range(0, samples, size):
            positions = start + np.arange(size).reshape(len(devices), -1)
            yield mapped(variables, jnp.asarray(positions))

    return batches


def told(batches: Iterable[Batch], n: int) -> Iterator[Batch]:
    """The batches, with progress, rate and time left on the console if it takes long."""
    began = last = time.monotonic()
    done = 0
    for images in batches:
        yield images
        done += images.shape[0] * images.shape[1]
        now = time.monotonic()
        if now - last > TOLD_EVERY and done < n:
            last, rate = now, done / (now - began)
            left = timedelta(seconds=round((n - done) / rate))
            say(f"{done} of {n} images  {rate:.3g} images/s  {left} left")


def first(batches: Iterable[Batch], n: int) -> Iterator[np.ndarray]:
    """The first n images, uint8 [a batch or less, H, W, 3] at a time."""
    left = n
    for batch in batches:
        images = np.asarray(batch).reshape(-1, *batch.shape[2:])[:left]
        left -= len(images)
        yield images
