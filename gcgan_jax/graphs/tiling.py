"""Tiling: limits how much of a batch of graphs is computed at a time.

B images.
"""

from collections.abc import Callable

from jax import Array, lax
from jaxtyping import Shaped

from gcgan_jax.arrays import AnyArray
from gcgan_jax.platforms import by_platform


def map_images(
    per_image: Callable[..., Array], *arrays: Shaped[AnyArray, "B ..."]
) -> Shaped[Array, "B ..."]:
    """Map `per_image` over the images of all arrays, a few at a time.

    An image's edges take k times the memory of its features: processed one by one, images stay in a
    CPU's cache, eight fill an accelerator, and the edges of a whole batch are never in memory.
    """
    return by_platform(
        *arrays,
        cpu=lambda *arrays: lax.map(lambda image: per_image(*image), arrays),
        default=lambda *arrays: lax.map(lambda image: per_image(*image), arrays, batch_size=8),
    )


def num_tiles(height: int, width: int) -> int:
    """Return the number of tiles, each of whole image rows and at most 2^20 distances.

    That many fit in a CPU's cache, while all distances of a 64x64 image take 64 MiB.
    """
    fewest = min(height, -(-((height * width) ** 2) // 2**20))
    return next(tiles for tiles in range(fewest, height + 1) if height % tiles == 0)
