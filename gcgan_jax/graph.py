"""The k-nearest-neighbour graph over the pixels of an image, and its edges.

B images, H rows, W columns, N = H * W nodes (pixels, row-major), F features, k neighbours.
"""

from collections.abc import Callable
from functools import partial

import jax.numpy as jnp
from jax import Array, lax


def knn(x: Array, k: int) -> Array:
    """The k nearest neighbours of every pixel in feature space, its 3x3 window left out.

    Thesis 3.2.2 and 4.2: neighbours j of i are the k smallest ||h_j - h_i||^2 over all pixels that
    the local 3x3 convolution does not see already. Distances are float32 (or float64) at the
    highest matrix precision; equal distances are taken in the order of j. No gradient flows.

    Args:
        x: [B, H, W, F] features.
        k: neighbours per pixel, 1 <= k <= N - 9.

    Returns:
        [B, N, k] int32 node numbers, nearest first.

    Raises:
        ValueError: k out of range, or an image side below 4.
    """
    B, H, W, F = x.shape
    check_knn(H, W, k)
    h = lax.stop_gradient(x).reshape(B, H * W, F)
    h = h.astype(jnp.promote_types(h.dtype, jnp.float32))

    def neighbours(h: Array) -> Array:
        # A CPU sorts slowly and finds maxima fast; for accelerators, XLA has kernels for top_k.
        return lax.platform_dependent(
            _closeness(h, W), cpu=partial(select_by_maxima, k=k), default=partial(select, k=k)
        )

    return map_images(neighbours, h)


def check_knn(height: int, width: int, k: int) -> None:
    """Raises ValueError unless every pixel of the map has k neighbours outside its 3x3 window."""
    if min(height, width) < 4:
        raise ValueError(f"a kNN graph needs sides of at least 4 pixels, got {height}x{width}")
    if not 1 <= k <= height * width - 9:
        raise ValueError(
            f"k = {k} does not fit a {height}x{width} map: choose 1 <= k <= {height * width - 9}"
        )


def _closeness(h: Array, width: int) -> Array:
    """-||h_j - h_i||^2 + ||h_i||^2, whose order over j is that of -distance; [N, F] -> [N, N]."""
    products = jnp.matmul(h, h.T, precision=lax.Precision.HIGHEST)
    closeness = -(jnp.sum(h * h, axis=-1) - 2 * products)  # 0 has one sign: top_k sorts by it
    return jnp.where(in_window(h.shape[0], width), -jnp.inf, closeness)


def in_window(nodes: int, width: int) -> Array:
    """Whether j lies in the 3x3 window around i (i included), as [N, N] booleans."""
    return chebyshev(jnp.arange(nodes)[:, None], jnp.arange(nodes), width) <= 1


def chebyshev(i: Array, j: Array, width: int) -> Array:
    """max(|row_i - row_j|, |column_i - column_j|) in pixels, for broadcast node numbers."""
    return jnp.maximum(jnp.abs(i // width - j // width), jnp.abs(i % width - j % width))


def select(values: Array, k: int) -> Array:
    """Columns of the k largest values of each row, [R, N] -> [R, k], largest first."""
    return lax.top_k(values, k)[1]


def select_by_maxima(values: Array, k: int, group: int = 8) -> Array:
    """`select`, from maxima alone: exactly the same columns in the same order.

    The k largest values of a row lie in the k groups of neighbouring columns with the largest
    maxima, so k maxima over N / group numbers, then k over k * group, replace a partial sort of N.
    """
    R, N = values.shape
    if N % group or k * group > N or k > 2 * group:
        return select(values, k)
    maxima = values.reshape(R, N // group, group).max(axis=-1)
    groups = jnp.sort(_extract_largest(maxima.T, k).T, axis=-1)  # [R, k], ascending: ties stay
    rows = jnp.arange(R)[:, None] * (N // group)
    candidates = values.reshape(-1, group).at[rows + groups].get(mode="clip")
    found = _extract_largest(candidates.reshape(R, k * group).T, k).T
    return jnp.take_along_axis(groups, found // group, axis=-1, mode="clip") * group + found % group


def _extract_largest(values: Array, k: int) -> Array:
    """Rows of the k largest values of each column, [n, R] -> [k, R]; equal ones in row order."""
    n = values.shape[0]
    row = lax.broadcasted_iota(jnp.int32, values.shape, 0)

    def extract(values: Array, _: None) -> tuple[Array, Array]:
        largest = jnp.min(jnp.where(values == values.max(axis=0), row, n), axis=0)
        return jnp.where(row == largest, -jnp.inf, values), largest

    return lax.scan(extract, values, length=k, unroll=True)[1]


def map_images(per_image: Callable[..., Array], *arrays: Array) -> Array:
    """per_image(one image of each array) for all images, a few at a time.

    What an image's edges need is k times the size of its features: one image after the other it
    stays in a CPU's cache, eight fill an accelerator, and never does a whole batch stand in memory.
    """
    return lax.platform_dependent(
        *arrays,
        cpu=lambda *arrays: lax.map(lambda image: per_image(*image), arrays),
        default=lambda *arrays: lax.map(lambda image: per_image(*image), arrays, batch_size=8),
    )


def coordinates(height: int, width: int) -> Array:
    """Row and column of every node, each scaled to [-1, 1]: [N, 2]."""
    rows, columns = jnp.linspace(-1.0, 1.0, height), jnp.linspace(-1.0, 1.0, width)
    return jnp.stack(jnp.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)
