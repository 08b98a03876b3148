"""Tiling: limits how much of a batch of graphs is computed at a time.

B images.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Shaped

from gcgan_jax.arrays import AnyArray
from gcgan_jax.platforms import by_platform

CACHE_BYTES = 2**22  # what one tile may take on a CPU, to stay in its cache
MEMORY_BYTES = 2**30  # what the images that are computed at a time may take on an accelerator


def map_images(
    per_image: Callable[..., Array],
    *arrays: Shaped[AnyArray, "B ..."],
    image_bytes: int,
    on_cpu: Callable[..., Array] | None = None,
) -> Shaped[Array, "B ..."]:
    """Map `per_image` over the images of all arrays.

    An image's edges take k times the memory of its features. A CPU processes the images one by one,
    so that they stay in its cache. An accelerator processes as many at a time as fit into
    MEMORY_BYTES, which are all of a usual batch: a loop would start its kernels over and over.

    Args:
        per_image: function of one image's slice of each array.
        arrays: inputs of all images.
        image_bytes: memory of what `per_image` computes for one image.
        on_cpu: variant of `per_image` for CPUs; None: the same.
    """
    per_image_on_cpu = on_cpu or per_image
    return by_platform(
        *map(jnp.asarray, arrays),
        cpu=lambda *arrays: lax.map(lambda image: per_image_on_cpu(*image), arrays),
        default=lambda *arrays: _map_groups(per_image, arrays, MEMORY_BYTES // image_bytes),
    )


def _map_groups(
    per_image: Callable[..., Array], arrays: tuple[Shaped[Array, "B ..."], ...], at_most: int
) -> Shaped[Array, "B ..."]:
    """Map over groups of about equal size."""
    B = len(arrays[0])
    groups = -(-B // max(1, at_most))
    if groups == 1:
        return jax.vmap(per_image)(*arrays)
    return lax.map(lambda image: per_image(*image), arrays, batch_size=-(-B // groups))


def num_tiles(nodes: int, tile_bytes: int) -> int:
    """Return into how many tiles to split the nodes: each has distances of at most `tile_bytes`.

    One node is the least. The distances of all pairs of a 64x64 image, for example, take 64 MiB.
    """
    return min(nodes, -(-4 * nodes**2 // tile_bytes))
