"""Placement of arrays on several devices, replicated or split."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import jax
import numpy as np
from jax import Array
from jax.sharding import Mesh, NamedSharding, PartitionSpec

AXIS = "devices"  # name of the mesh axis

T = TypeVar("T")  # a pytree of arrays


def replicate(tree: Any, devices: Sequence[jax.Device]) -> Any:
    """Replicate a tree on all devices; every process must pass the same values."""
    return jax.tree.map(lambda leaf: _put(leaf, devices, PartitionSpec()), tree)


def split(
    shape: tuple[int, ...], part: Callable[[int], np.ndarray], devices: Sequence[jax.Device]
) -> Array:
    """Split an array of this shape over its first axis, [devices, ...], and place it.

    Args:
        part: returns the part of a device, [1, ...], by its index; called for this process's.
    """

    def of_device(index: tuple[slice, ...] | None) -> np.ndarray:
        assert index is not None  # as the sharding splits the axis
        return part(index[0].start or 0)

    sharding = NamedSharding(Mesh(np.array(devices), (AXIS,)), PartitionSpec(AXIS))
    return jax.make_array_from_callback(shape, sharding, of_device)


def device_indices(devices: Sequence[jax.Device]) -> Array:
    """Return an array with one element per device: its index, placed on it."""
    return _put(np.arange(len(devices)), devices, PartitionSpec(AXIS))


def local_copy(tree: T) -> T:
    """Return a replicated tree on one local device, for computations without other processes."""
    return jax.tree.map(lambda leaf: leaf.addressable_data(0), tree)


def _put(value: Any, devices: Sequence[jax.Device], spec: PartitionSpec) -> Array:
    """Place an array without jax.device_put, which compares the values across processes."""
    value, sharding = np.asarray(value), NamedSharding(Mesh(np.array(devices), (AXIS,)), spec)
    return jax.make_array_from_callback(value.shape, sharding, lambda index: value[index])
