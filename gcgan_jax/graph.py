"""The k-nearest-neighbour graph over the pixels of an image, and its edges.

B images, H rows, W columns, N = H * W nodes (pixels, row-major), F features, k neighbours.
"""

import math
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Bool, Float, Int, Int32, Shaped

from gcgan_jax.arrays import AnyArray
from gcgan_jax.platforms import by_platform
from gcgan_jax.window import check_knn


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


def tiles(height: int, width: int) -> int:
    """In how many parts of whole image rows an image's distances are made: at most 2^20 a part.

    So many fit a CPU's cache, while all of a 64x64 image's are 64 MiB.
    """
    fewest = min(height, -(-((height * width) ** 2) // 2**20))
    return next(parts for parts in range(fewest, height + 1) if height % parts == 0)


def _closeness(h: Float[Array, "N F"], i: Int[Array, "R"], width: int) -> Float[Array, "R N"]:
    """-||h_j - h_i||^2 + ||h_i||^2, whose order over j is that of -distance."""
    products = jnp.matmul(h[i], h.T, precision=lax.Precision.HIGHEST)
    closeness = -(jnp.sum(h * h, axis=-1)[None] - 2 * products)  # 0 has one sign: top_k sorts by it
    return jnp.where(in_window(i, len(h), width), -jnp.inf, closeness)


def in_window(i: Int[AnyArray, "R"], nodes: int, width: int) -> Bool[Array, "R {nodes}"]:
    """Whether j lies in the 3x3 window around i (i included)."""
    return chebyshev(i[:, None], jnp.arange(nodes)[None], width) <= 1


def chebyshev(
    i: Int[AnyArray, "*#edges"], j: Int[AnyArray, "*#edges"], width: int
) -> Int[Array, "*edges"]:
    """max(|row_i - row_j|, |column_i - column_j|) in pixels, for broadcast node numbers."""
    return jnp.maximum(jnp.abs(i // width - j // width), jnp.abs(i % width - j % width))


def edge_lengths(neighbours: Int[AnyArray, "*batch N k"], width: int) -> Float[Array, "*batch N k"]:
    """Euclidean lengths of the edges, in pixels."""
    i = lax.broadcasted_iota(jnp.int32, neighbours.shape, neighbours.ndim - 2)
    rows, columns = i // width - neighbours // width, i % width - neighbours % width
    return jnp.sqrt(rows**2 + columns**2)


def in_degrees(neighbours: Int[AnyArray, "N k"]) -> Int[Array, "N"]:
    """How many edges end at each node."""
    return jnp.bincount(jnp.ravel(neighbours), length=len(neighbours))


def select(values: Float[Array, "R N"], k: int) -> Int32[Array, "R {k}"]:
    """Columns of the k largest values of each row, largest first."""
    return lax.top_k(values, k)[1]


def select_by_maxima(values: Float[Array, "R N"], k: int) -> Int32[Array, "R {k}"]:
    """`select`, from maxima alone: exactly the same columns in the same order.

    The largest value of each group of columns stands for it. k times, the best group's value is
    taken and the next one of that group put in its place: N / group + group numbers are looked at
    instead of N.
    """
    R, N = values.shape
    group = math.gcd(N, 32)
    groups = N // group
    grouped = values.reshape(R * groups, group)
    number = lax.broadcasted_iota(jnp.int32, (groups, R), 0)

    def take(
        carry: tuple[Array, Array, Array], _: None
    ) -> tuple[tuple[Array, Array, Array], Array]:
        maxima, value, column = carry  # [groups, R], and what was taken last [R]
        best = maxima.max(axis=0)
        chosen = jnp.min(jnp.where(maxima == best[None], number, groups - 1), axis=0)
        members = grouped.at[jnp.arange(R) * groups + chosen].get(mode="clip")  # [R, group]
        columns = chosen[:, None] * group + jnp.arange(group, dtype=jnp.int32)[None]

        def left_after(value: Array, column: Array) -> Array:
            later = (members == value[:, None]) & (columns > column[:, None])
            return (members < value[:, None]) | later

        is_best = (members == best[:, None]) & left_after(value, column)
        found = jnp.min(jnp.where(is_best, columns, N - 1), axis=-1)
        follows = jnp.max(jnp.where(left_after(best, found), members, -jnp.inf), axis=-1)
        return (jnp.where(number == chosen[None], follows[None], maxima), best, found), found

    maxima = grouped.max(axis=-1).reshape(R, groups).T
    nothing = jnp.full((R,), jnp.inf, values.dtype), jnp.full((R,), -1, jnp.int32)
    return lax.scan(take, (maxima, *nothing), length=k)[1].T


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


def coordinates(height: int, width: int) -> Float[Array, "{height}*{width} 2"]:
    """Row and column of every node, each scaled to [-1, 1]."""
    rows, columns = jnp.linspace(-1.0, 1.0, height), jnp.linspace(-1.0, 1.0, width)
    return jnp.stack(jnp.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)
