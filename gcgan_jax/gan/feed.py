"""Where the step's images come from: the whole set on the devices, or its batches from the host.

n images of H rows, W columns and F channels; m images that a device draws in a call.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import count, repeat
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jax import Array
from jaxtyping import Int, Key, UInt8
from numpy import ndarray

from gcgan_jax.gan.rng import draw_choices, update_key
from gcgan_jax.runtime.devices import replicate, split


@struct.dataclass
class Drawn:
    """The images that a device draws in a call; with a leading axis, [devices], those of all.

    Attributes:
        numbers: their numbers in the set, [m], in order; the last one may be repeated.
        images: uint8 [m, pixels].
        total: number of images in the set.
    """

    numbers: Any
    images: Any
    total: int = struct.field(pytree_node=False)

    def find(self, numbers: Int[Array, "B"]) -> UInt8[Array, "B pixels"]:
        """Return the images of these numbers, on their device."""
        return self.images[jnp.searchsorted(self.numbers, numbers, method="compare_all")]


def from_devices(
    images: UInt8[ndarray, "n H W F"], devices: Sequence[jax.Device]
) -> Iterator[Array]:
    """Yield all images, [n, pixels] on each device, for each call of the step."""
    return repeat(replicate(images.reshape(len(images), -1), devices))


def from_host(
    images: UInt8[ndarray, "n H W F"],
    key: Key[Array, ""],
    devices: Sequence[jax.Device],
    *,
    start: int,
    iterations_per_call: int,
    updates: int,
    batch_size: int,
) -> Iterator[Drawn]:
    """Yield what each call draws, split over the devices; a process gathers that of its own ones.

    What is requested while the devices compute is gathered and transferred meanwhile.

    Args:
        key: key of all random numbers of training.
        start: iterations before the first call.
        updates: updates per iteration, those of the critic and of the generator.
        batch_size: batch size over all devices.
    """
    flat = images.reshape(len(images), -1)
    shape = (iterations_per_call, updates, batch_size)
    draw = jax.jit(partial(choices, key, shape=shape, n=len(images)))
    ahead = draw(start)
    for first in count(start, iterations_per_call):
        # Drawn a call ahead: a device would draw these numbers only after the step that it runs.
        chosen, ahead = np.asarray(ahead), draw(first + iterations_per_call)
        yield gather(flat, chosen, devices)


def gather(
    flat: UInt8[ndarray, "n pixels"],
    chosen: Int[ndarray, "iterations updates batch"],
    devices: Sequence[jax.Device],
) -> Drawn:
    """Gather the chosen images, each on the device that draws it."""
    of_devices = np.stack(np.split(chosen, len(devices), axis=-1))
    of_devices = of_devices.reshape(len(devices), -1)
    m = of_devices.shape[1]

    def numbers(device: int) -> ndarray:
        found = np.unique(of_devices[device])
        return np.pad(found, (0, m - len(found)), mode="edge")[None]

    def pixels(device: int) -> ndarray:
        return np.asarray(flat[numbers(device)])

    return Drawn(
        numbers=split((len(devices), m), numbers, devices),
        images=split((len(devices), m, flat.shape[1]), pixels, devices),
        total=len(flat),
    )


def choices(
    key: Key[Array, ""], start: Int[Array, ""] | int, *, shape: tuple[int, int, int], n: int
) -> Int[Array, "iterations updates batch"]:
    """Draw which of n images each update uses, from iteration `start` on."""
    iterations, updates, batch = shape

    def draw(iteration: Array, update: Array) -> Array:
        return draw_choices(update_key(key, iteration, update), jnp.arange(batch), n)

    by_update = jax.vmap(draw, (None, 0))
    return jax.vmap(by_update, (0, None))(start + jnp.arange(iterations), jnp.arange(updates))
