"""The k-nearest-neighbour graph over the pixels of an image, and its edges.

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
from gcgan_jax.graphs.tiling import map_images, tiles
from gcgan_jax.graphs.top_k import select, select_by_maxima
from gcgan_jax.platforms import by_platform
from gcgan_jax.ranges import Interval


@jax.named_scope("knn")
def knn(x: Float[AnyArray, "B H W F"], k: int) -> Int32[Array, "B H*W {k}"]:
    """The k nearest neighbours of every pixel in feature space, its 3x3 window left out.

    Thesis 3.2.2 and 4.2: neighbours j of i are the k smallest ||h_j - h_i||^2 over all pixels that
    the local 3x3 convolution does not see already. Distances are float32 (or float64) at the
    highest matrix precision; equal distances are taken in the order of j. No gradient flows.

    Args:
        x: features.
        k: neighbours per pixel, 1 <= k <= N - 9.

    Returns:
        Node numbers, nearest first.

    Raises:
        ValueError: k out of range, or an image side below 4.
    """
    _, H, W, _ = x.shape
    check_knn(H, W, k)
    return knn_in_parts(x, k, tiles(H, W))


def knn_in_parts(x: Float[AnyArray, "B H W F"], k: int, parts: int) -> Int32[Array, "B H*W {k}"]:
    """`knn`, computing the distances of one part of an image's nodes at a time.

    The number of parts divides N and does not change the result.
    """
    B, H, W, F = x.shape
    h = lax.stop_gradient(x).reshape(B, H * W, F)
    h = h.astype(jnp.promote_types(h.dtype, jnp.float32))

    def neighbours(h: Float[Array, "N F"]) -> Int32[Array, "N k"]:
        of_rows = partial(_neighbours, h, width=W, k=k)
        return lax.map(of_rows, jnp.arange(H * W).reshape(parts, -1)).reshape(H * W, k)

    return map_images(neighbours, h)


def _neighbours(
    h: Float[Array, "N F"], i: Int[Array, "R"], *, width: int, k: int
) -> Int32[Array, "R {k}"]:
    """The k nearest nodes of each node i."""
    # A CPU sorts slowly and finds maxima fast; for accelerators, XLA has kernels for top_k.
    return by_platform(
        _closeness(h, i, width), cpu=partial(select_by_maxima, k=k), default=partial(select, k=k)
    )


def _closeness(h: Float[Array, "N F"], i: Int[Array, "R"], width: int) -> Float[Array, "R N"]:
    """-||h_j - h_i||^2 + ||h_i||^2, whose order over j is that of -distance."""
    products = jnp.matmul(h[i], h.T, precision=lax.Precision.HIGHEST)
    closeness = -(jnp.sum(h * h, axis=-1)[None] - 2 * products)  # 0 has one sign: top_k sorts by it
    return jnp.where(in_window(i, len(h), width), -jnp.inf, closeness)


def check_knn(height: int, width: int, k: int) -> None:
    """Raises ValueError unless every pixel of the map has k neighbours outside its 3x3 window."""
    if min(height, width) < 4:
        raise ValueError(f"a kNN graph needs sides of at least 4 pixels, got {height}x{width}")
    if not 1 <= k <= height * width - 9:
        raise ValueError(
            f"k = {k} does not fit a {height}x{width} map: choose 1 <= k <= {height * width - 9}"
        )


class KNN(nn.Module):
    """`knn`: the k nearest in feature space, the 3x3 window left out."""

    k: Annotated[int, Interval(1, 2**16)] = 8

    def __call__(
        self, x: Float[AnyArray, "B H W F"], keys: Key[Array, "B"] | None = None
    ) -> Neighbours:
        """Draws nothing from the keys."""
        return Neighbours(knn(x, self.k))

    def check(self, height: int, width: int) -> None:
        """Raises ValueError if a map of this size has no such graph."""
        check_knn(height, width, self.k)
