"""How much of a batch of graphs is computed at a time.

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
    """per_image(one image of each array) for all images, a few at a time.

    What an image's edges need is k times the size of its features: one image after the other it
    stays in a CPU's cache, eight fill an accelerator, and never does a whole batch stand in memory.
    """
    return by_platform(
        *arrays,
        cpu=lambda *arrays: lax.map(lambda image: per_image(*image), arrays),
        default=lambda *arrays: lax.map(lambda image: per_image(*image), arrays, batch_size=8),
    )


def tiles(height: int, width: int) -> int:
    """In how many parts of whole image rows an image's distances are made: at most 2^20 a part.

    So many fit a CPU's cache, while all of a 64x64 image's are 64 MiB.
    """
    fewest = min(height, -(-((height * width) ** 2) // 2**20))
    return next(parts for parts in range(fewest, height + 1) if height % parts == 0)
