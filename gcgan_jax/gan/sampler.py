"""Sampling from a generator on any number of devices, as an array or as a stream."""

from collections.abc import Iterable, Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax.typing import VariableDict
from jax import Array
from jaxtyping import Key, UInt8

from gcgan_jax.arrays import AnyArray
from gcgan_jax.errors import UserError
from gcgan_jax.gan.networks import GAN
from gcgan_jax.gan.rng import Latents, draw_latents
from gcgan_jax.runtime.devices import AXIS, replicate

Batch = UInt8[AnyArray, "devices B H W F"]  # B images per device


class Sampler:
    """Generates images from latents, each of which depends only on a key and its index."""

    def __init__(
        self, gan: GAN, batch_norm: str, batch_size: int, devices: Sequence[jax.Device]
    ) -> None:
        """
        Args:
            batch_norm: "running" averages, or the statistics of each "batch".
            batch_size: images per batch, over all devices.
            devices: devices of this process.

        Raises:
            UserError: the batch size is not divisible by the number of devices.
        """
        if batch_size % len(devices):
            raise UserError(
                f"config.eval.batch_size = {batch_size} is not divisible by the {len(devices)} "
                f"devices: choose a multiple of {len(devices)}"
            )
        self.batch_size, self.devices = batch_size, devices
        self.channels = gan.image_shape[-1]

        def draw(key: Array, indices: Array) -> Latents:
            return draw_latents(key, indices, gan.latent_size)

        @jax.default_matmul_precision(gan.matmul_precision)
        def generate(variables: VariableDict, latents: Latents) -> Array:
            return gan.sample(variables, latents, batch_norm, AXIS)

        self._draw = jax.jit(draw)
        self._generate = jax.pmap(generate, axis_name=AXIS, in_axes=(None, 0), devices=devices)

    def latents(self, key: Key[Array, ""], indices: Sequence[int] | np.ndarray) -> Latents:
        """Draw the latents of a key at these indices."""
        return self._draw(key, jnp.asarray(indices))

    def stream(self, variables: VariableDict, key: Key[Array, ""], n: int) -> Iterator[Batch]:
        """Generate at least n images, from latents 0, 1, ..., batch by batch."""
        size = self._batch_size(n)
        variables = replicate(jax.device_get(variables), self.devices)
        for start in range(0, n, size):
            latents = self.latents(key, np.arange(start, start + size))
            yield self._generate(variables, self._split(latents))

    def first(
        self, variables: VariableDict, key: Key[Array, ""], n: int
    ) -> UInt8[np.ndarray, "{n} H W F"]:
        """Generate the images of latents 0 to n - 1."""
        return np.concatenate([*first(self.stream(variables, key, n), n)])

    def images(self, variables: VariableDict, latents: Latents) -> UInt8[np.ndarray, "n H W F"]:
        """Generate the images of n latents; the last latent pads the last batch."""
        n = len(latents.z)
        size = self._batch_size(n)
        variables = replicate(jax.device_get(variables), self.devices)
        batches = []
        for start in range(0, n, size):
            indices = np.minimum(np.arange(start, start + size), n - 1)
            batch = jax.tree.map(lambda leaf, indices=indices: leaf[indices], latents)
            batches.append(self._generate(variables, self._split(batch)))
        return np.concatenate([*first(batches, n)])

    def _batch_size(self, n: int) -> int:
        """Return the batch size for n images, no larger than necessary."""
        devices = len(self.devices)
        return min(self.batch_size, -(-n // devices) * devices)

    def _split(self, latents: Latents) -> Latents:
        devices = len(self.devices)
        return jax.tree.map(lambda leaf: leaf.reshape(devices, -1, *leaf.shape[1:]), latents)


def first(batches: Iterable[Batch], n: int) -> Iterator[np.ndarray]:
    """Yield the first n images, uint8 [at most one batch, H, W, F] at a time."""
    remaining = n
    for batch in batches:
        images = np.asarray(batch).reshape(-1, *batch.shape[2:])[:remaining]
        remaining -= len(images)
        yield images
