"""Images of a generator: one that makes them, on any devices, few or streamed by the thousand."""

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

Batch = UInt8[AnyArray, "devices B H W F"]  # B images of each device


class Sampler:
    """Images of latents, which follow from a key and their number alone."""

    def __init__(
        self, gan: GAN, batch_norm: str, batch_size: int, devices: Sequence[jax.Device]
    ) -> None:
        """
        Args:
            batch_norm: "running" averages, or the statistics of each "batch".
            batch_size: images at once, over all devices.
            devices: of this process.

        Raises:
            UserError: the batch does not divide by the devices.
        """
        if batch_size % len(devices):
            raise UserError(
                f"config.eval.batch_size = {batch_size} does not divide by the {len(devices)} "
                f"devices: choose a multiple of {len(devices)}"
            )
        self.batch_size, self.devices = batch_size, devices

        def draw(key: Array, numbers: Array) -> Latents:
            return draw_latents(key, numbers, gan.latent_size)

        @jax.default_matmul_precision(gan.matmul_precision)
        def make(variables: VariableDict, latents: Latents) -> Array:
            return gan.sample(variables, latents, batch_norm, AXIS)

        self._draw = jax.jit(draw)
        self._make = jax.pmap(make, axis_name=AXIS, in_axes=(None, 0), devices=devices)

    def latents(self, key: Key[Array, ""], numbers: Sequence[int] | np.ndarray) -> Latents:
        """The latents of a key with these numbers."""
        return self._draw(key, jnp.asarray(numbers))

    def stream(self, variables: VariableDict, key: Key[Array, ""], n: int) -> Iterator[Batch]:
        """At least n images, of latents 0, 1, ..."""
        size = self._size(n)
        variables = replicate(jax.device_get(variables), self.devices)
        for start in range(0, n, size):
            latents = self.latents(key, np.arange(start, start + size))
            yield self._make(variables, self._split(latents))

    def first(
        self, variables: VariableDict, key: Key[Array, ""], n: int
    ) -> UInt8[np.ndarray, "{n} H W F"]:
        """The images of latents 0 to n - 1."""
        return np.concatenate([*first(self.stream(variables, key, n), n)])

    def images(self, variables: VariableDict, latents: Latents) -> UInt8[np.ndarray, "n H W F"]:
        """Of n latents; the last batch is filled up with the last of them."""
        n = len(latents.z)
        size = self._size(n)
        variables = replicate(jax.device_get(variables), self.devices)
        parts = []
        for start in range(0, n, size):
            numbers = np.minimum(np.arange(start, start + size), n - 1)
            part = jax.tree.map(lambda leaf, numbers=numbers: leaf[numbers], latents)
            parts.append(self._make(variables, self._split(part)))
        return np.concatenate([*first(parts, n)])

    def _size(self, n: int) -> int:
        """Images at once: no more than n needs."""
        devices = len(self.devices)
        return min(self.batch_size, -(-n // devices) * devices)

    def _split(self, latents: Latents) -> Latents:
        devices = len(self.devices)
        return jax.tree.map(lambda leaf: leaf.reshape(devices, -1, *leaf.shape[1:]), latents)


def first(batches: Iterable[Batch], n: int) -> Iterator[np.ndarray]:
    """The first n images, uint8 [a batch or less, H, W, F] at a time."""
    left = n
    for batch in batches:
        images = np.asarray(batch).reshape(-1, *batch.shape[2:])[:left]
        left -= len(images)
        yield images
