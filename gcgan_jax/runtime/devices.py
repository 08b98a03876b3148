"""Arrays on several devices: whole on each, or a part on each."""

from collections.abc import Sequence
from typing import Any, TypeVar

import jax
import numpy as np
from jax import Array
from jax.sharding import Mesh, NamedSharding, PartitionSpec

AXIS = "devices"  # over which a computation is mapped

T = TypeVar("T")  # a pytree of arrays


def replicate(tree: Any, devices: Sequence[jax.Device]) -> Any:
    """The tree, whole on each device; every process passes the same one."""
    return jax.tree.map(lambda leaf: _put(leaf, devices, PartitionSpec()), tree)


def device_indices(devices: Sequence[jax.Device]) -> Array:
    """Each device's number, on that device."""
    return _put(np.arange(len(devices)), devices, PartitionSpec(AXIS))


def local_copy(tree: T) -> T:
    """A replicated tree on one device of this process: what it computes, it computes alone."""
    return jax.tree.map(lambda leaf: leaf.addressable_data(0), tree)


def _put(value: Any, devices: Sequence[jax.Device], spec: PartitionSpec) -> Array:
    """Without the communication of jax.device_put, which compares the processes' values."""
    value, sharding = np.asarray(value), NamedSharding(Mesh(np.array(devices), (AXIS,)), spec)
    return jax.make_array_from_callback(value.shape, sharding, lambda part: value[part])
