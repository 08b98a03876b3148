"""Graphs that ignore the features, or the image: controls for kNN, with the same parameters.

B images, H rows, W columns, N = H * W nodes (pixels, row-major), F features, k neighbours. `size`
is H and W, or N alone for a point set.
"""

import math
from itertools import product
from typing import Annotated

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int, Int32, Key

from gcgan_jax.arrays import AnyArray
from gcgan_jax.graphs.knn import KNN
from gcgan_jax.graphs.nearest import check_candidates
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.ranges import Interval

Count = Annotated[int, Interval(1, 2**16)]
Features = Float[AnyArray, "B *size F"]
Keys = Key[Array, "B"]


def self_loops(height: int, width: int, k: int) -> Int[np.ndarray, "N {k}"]:
    """Return each node i itself, k times."""
    return np.repeat(np.arange(height * width)[:, None], k, axis=1)


def grid(height: int, width: int, k: int) -> Int[np.ndarray, "N {k}"]:
    """Return the 8 pixels around each pixel, in reading order and repeatedly if k > 8.

    At borders, a pixel outside the image is replaced by the nearest one inside.
    """
    around = [offset for offset in product((-1, 0, 1), repeat=2) if offset != (0, 0)]
    offsets = np.array([around[n % 8] for n in range(k)])
    rows, columns = np.divmod(np.arange(height * width)[:, None], width)
    rows = np.clip(rows + offsets[:, 0], 0, height - 1)
    return rows * width + np.clip(columns + offsets[:, 1], 0, width - 1)


def ring(height: int, width: int, k: int) -> Int[np.ndarray, "N {k}"]:
    """Return the k spatially nearest pixels outside the 3x3 window of each pixel.

    They are ordered by Chebyshev distance r = 2, 3, ...; at each r the four on the axes come first,
    then the four on the diagonals, then the others by distance to their axis: a symmetric set for
    k = 4, 8, 16, 20, 24, .... At borders, the first k that exist are taken.
    """
    rows, columns = np.divmod(np.arange(height * width), width)
    neighbours = np.zeros((height * width, k), np.int64)
    found = np.zeros(height * width, np.int64)
    for row, column in _around_window(max(height, width)):
        y, x = rows + row, columns + column
        valid = (y >= 0) & (y < height) & (x >= 0) & (x < width) & (found < k)
        neighbours[valid, found[valid]] = (y * width + x)[valid]
        found += valid
        if np.all(found == k):
            break
    return neighbours


def _around_window(radius: int) -> list[tuple[int, int]]:
    """Return the offsets outside the 3x3 window up to a Chebyshev radius, in the ring's order."""

    def order(offset: tuple[int, int]) -> tuple[int, ...]:
        (row, column), r = offset, max(map(abs, offset))
        short = min(abs(row), abs(column))
        on_axis_or_diagonal = 0 if short == 0 else 1 if short == r else 2
        return r, on_axis_or_diagonal, short, row, column

    offsets = product(range(-radius, radius + 1), range(-radius, radius + 1))
    return sorted((offset for offset in offsets if max(map(abs, offset)) > 1), key=order)


def random_outside_window(
    keys: Keys, height: int, width: int, k: int, exclude: int = 1
) -> Int32[Array, "B {height}*{width} {k}"]:
    """Draw k nodes uniformly from those outside each node's window, with replacement.

    `exclude` is the window's Chebyshev radius: 1 for 3x3.
    """
    rows, columns = jnp.divmod(jnp.arange(height * width, dtype=jnp.int32)[:, None], width)
    top, bottom = jnp.maximum(rows - exclude, 0), jnp.minimum(rows + exclude + 1, height)
    left, right = jnp.maximum(columns - exclude, 0), jnp.minimum(columns + exclude + 1, width)
    rest = width - (right - left)  # pixels outside the window in each of its rows
    before = top * width
    candidates = before + (bottom - top) * rest + (height - bottom) * width

    def per_image(key: Key[Array, ""]) -> Int32[Array, "N k"]:
        n = jax.random.randint(key, (height * width, k), 0, candidates)
        row, column = jnp.divmod(jnp.maximum(n - before, 0), rest)
        beside = (top + row) * width + column + jnp.where(column >= left, right - left, 0)
        after = n + (bottom - top) * (right - left)
        is_after = n >= before + (bottom - top) * rest
        return jnp.where(n < before, n, jnp.where(is_after, after, beside))

    return jax.vmap(per_image)(keys)


class SelfLoops(nn.Module):
    """Connects each node to itself, k times: no other node is ever seen.

    Example:
        >>> SelfLoops(k=2).apply({}, jnp.zeros((1, 3, 1))).indices[0].tolist()
        [[0, 0], [1, 1], [2, 2]]
    """

    k: Count = 8

    def __call__(self, x: Features, keys: Keys | None = None) -> Neighbours:
        return _same_for_all(x, self_loops(1, math.prod(x.shape[1:-1]), self.k))


class Grid(nn.Module):
    """Connects each pixel to the 8 around it, which the local convolution also sees; see `grid`.

    Example:
        >>> Grid(k=8).apply({}, jnp.zeros((1, 4, 4, 1))).indices[0, 5].tolist()
        [0, 1, 2, 4, 6, 8, 9, 10]
    """

    k: Count = 8

    def __call__(self, x: Features, keys: Keys | None = None) -> Neighbours:
        return _same_for_all(x, grid(*_sides(x, "grid"), self.k))


class Ring(nn.Module):
    """Connects each pixel to the k spatially nearest outside its 3x3 window; see `ring`.

    Example:
        >>> Ring(k=4).apply({}, jnp.zeros((1, 5, 5, 1))).indices[0, 12].tolist()
        [2, 10, 14, 22]
    """

    k: Count = 8

    def __call__(self, x: Features, keys: Keys | None = None) -> Neighbours:
        height, width = _sides(x, "ring")
        self.check(height, width)
        return _same_for_all(x, ring(height, width, self.k))

    def check(self, height: int, width: int) -> None:
        """Raise ValueError if k does not fit a feature map of this size."""
        check_candidates((height, width), self.k)


class Random(nn.Module):
    """Connects each pixel to k random ones outside its 3x3 window; see `random_outside_window`.

    In a point set, they are any other points. The edges follow from the image's key: new ones in
    each update, and when sampling the same for the same latents.

    Example:
        >>> keys = jax.random.split(jax.random.key(0), 1)
        >>> neighbours = Random(k=7).apply({}, jnp.zeros((1, 4, 4, 1)), keys)
        >>> set(neighbours.indices[0, 0].tolist()) & {0, 1, 4, 5}  # the window of pixel 0
        set()
    """

    k: Count = 8

    def __call__(self, x: Features, keys: Keys | None = None) -> Neighbours:
        size = x.shape[1:-1]
        check_candidates(size, self.k)
        if keys is None:
            raise ValueError("a random graph needs one key per image: pass keys")
        if len(size) == 1:
            return Neighbours(random_outside_window(keys, 1, size[0], self.k, exclude=0))
        height, width = size
        return Neighbours(random_outside_window(keys, height, width, self.k))

    def check(self, height: int, width: int) -> None:
        """Raise ValueError if k does not fit a feature map of this size."""
        check_candidates((height, width), self.k)


class Shuffled(KNN):
    """Gives each image the kNN graph of the previous image of the batch (the first, of the last).

    Its edges are as long, and their in-degrees as uneven, as kNN's. It depends on the other images
    of the batch, and therefore on how many devices share it.

    Example:
        >>> x = jnp.array([[[0.0], [1.0], [5.0]], [[0.0], [4.0], [5.0]]])
        >>> Shuffled(k=1).apply({}, x).indices[..., 0].tolist()  # those of the second set first
        [[1, 2, 1], [1, 0, 1]]
    """

    def __call__(self, x: Features, keys: Keys | None = None) -> Neighbours:
        indices, weights = super().__call__(x, keys)
        rolled = None if weights is None else jnp.roll(weights, 1, axis=0)
        return Neighbours(jnp.roll(indices, 1, axis=0), rolled)


class Far(KNN):
    """kNN that leaves out a window of 9x9 pixels.

    Example:
        >>> x = jnp.arange(100.0).reshape(1, 10, 10, 1)  # each pixel's feature is its index
        >>> Far(k=2).apply({}, x).indices[0, 0].tolist()
        [5, 6]
    """

    exclude: Annotated[int, Interval(0, 512)] = 4


def _sides(x: Features, graph: str) -> tuple[int, int]:
    """Return H and W; raise ValueError for a point set."""
    if x.ndim != 4:
        raise ValueError(
            f"{graph!r} connects pixels by their places in an image [B, H, W, F], but the features "
            f"are a point set {list(x.shape)}: choose another graph, such as 'knn'"
        )
    return x.shape[1], x.shape[2]


def _same_for_all(x: Features, indices: Int[np.ndarray, "N k"]) -> Neighbours:
    return Neighbours(jnp.broadcast_to(jnp.asarray(indices, jnp.int32), (len(x), *indices.shape)))
