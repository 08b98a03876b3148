"""k-nearest-neighbour graph over the pixels of an image.

B images, H rows, W columns, N = H * W nodes (pixels, row-major), F features, k neighbours.
"""

from functools import partial
from typing import Annotated

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, Int, Int32, Key

from gcgan_jax.arrays import AnyArray
from gcgan_jax.graphs.geometry import in_window
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.graphs.tiling import map_images, num_tiles
from gcgan_jax.graphs.top_k import select, select_by_maxima
from gcgan_jax.platforms import by_platform
from gcgan_jax.ranges import Interval


@jax.named_scope("knn")
def knn(x: Float[AnyArray, "B H W F"], k: int) -> Int32[Array, "B H*W {k}"]:
    """Return the k nearest neighbours of every pixel in feature space, outside its 3x3 window.

    Thesis 3.2.2 and 4.2: neighbours j of i have the k smallest ||h_j - h_i||^2 among all pixels
    that the local 3x3 convolution does not cover. Distances are float32 (or float64) at the highest
    matmul precision; ties go to the lower node index. No gradient flows through the graph.

    Args:
        x: features.
        k: neighbours per pixel, 1 <= k <= N - 9.

    Returns:
        Node indices, nearest first.

    Raises:
        ValueError: k is out of range, or an image side is below 4.
    """
    _, H, W, _ = x.shape
    check_knn(H, W, k)
    return tiled_knn(x, k, num_tiles(H, W))


def tiled_knn(x: Float[AnyArray, "B H W F"], k: int, tiles: int) -> Int32[Array, "B H*W {k}"]:
    """Compute `knn` one tile of an image's nodes at a time.

    The number of tiles must divide N; it does not affect the result.
    """
    B, H, W, F = x.shape
    h = lax.stop_gradient(x).reshape(B, H * W, F)
    h = h.astype(jnp.promote_types(h.dtype, jnp.float32))

    def neighbours(h: Float[Array, "N F"]) -> Int32[Array, "N k"]:
        per_tile = partial(_neighbours, h, width=W, k=k)
        return lax.map(per_tile, jnp.arange(H * W).reshape(tiles, -1)).reshape(H * W, k)

    return map_images(neighbours, h)


def _neighbours(
    h: Float[Array, "N F"], i: Int[Array, "R"], *, width: int, k: int
) -> Int32[Array, "R {k}"]:
    """Return the k nearest nodes of each node i."""
    # On a CPU, sorting is slow and maxima are fast; on accelerators, XLA has top_k kernels.
    return by_platform(
        _closeness(h, i, width), cpu=partial(select_by_maxima, k=k), default=partial(select, k=k)
    )


def _closeness(h: Float[Array, "N F"], i: Int[Array, "R"], width: int) -> Float[Array, "R N"]:
    """Return -||h_j - h_i||^2 + ||h_i||^2, which orders j like the negative distance."""
    products = jnp.matmul(h[i], h.T, precision=lax.Precision.HIGHEST)
    closeness = -(jnp.sum(h * h, axis=-1)[None] - 2 * products)  # zeros are all -0: top_k sorts ±0
    return jnp.where(in_window(i, len(h), width), -jnp.inf, closeness)


def check_knn(height: int, width: int, k: int) -> None:
    """Raise ValueError unless every pixel has k neighbours outside its 3x3 window."""
    if min(height, width) < 4:
        raise ValueError(f"a kNN graph needs sides of at least 4 pixels, got {height}x{width}")
    if not 1 <= k <= height * width - 9:
        raise ValueError(
            f"k = {k} does not fit a {height}x{width} feature map: "
            f"choose 1 <= k <= {height * width - 9}"
        )


class KNN(nn.Module):
    """Connects each pixel to its k nearest in feature space, outside its 3x3 window; see `knn`."""

    k: Annotated[int, Interval(1, 2**16)] = 8

    def __call__(
        self, x: Float[AnyArray, "B H W F"], keys: Key[Array, "B"] | None = None
    ) -> Neighbours:
        """Return the neighbours; the graph is deterministic and ignores the keys."""
        return Neighbours(knn(x, self.k))

    def check(self, height: int, width: int) -> None:
        """Raise ValueError if k does not fit a feature map of this size."""
        check_knn(height, width, self.k)
