"""Geometry of an image graph: node coordinates, pixel distances and edge lengths.

H rows, W columns, N = H * W nodes (pixels, row-major), k neighbours.
"""

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Bool, Float, Int

from gcgan_jax.arrays import AnyArray


def in_window(
    i: Int[AnyArray, "R"], nodes: int, width: int, radius: int
) -> Bool[Array, "R {nodes}"]:
    """Return whether each node j is within a Chebyshev radius of i (i included)."""
    return chebyshev(i[:, None], jnp.arange(nodes)[None], width) <= radius


def chebyshev(
    i: Int[AnyArray, "*#edges"], j: Int[AnyArray, "*#edges"], width: int
) -> Int[Array, "*edges"]:
    """Return max(|row_i - row_j|, |column_i - column_j|) in pixels, for broadcast node indices."""
    (row_i, column_i), (row_j, column_j) = _row_and_column(i, width), _row_and_column(j, width)
    return jnp.maximum(jnp.abs(row_i - row_j), jnp.abs(column_i - column_j))


def _row_and_column(
    nodes: Int[AnyArray, "*edges"], width: int
) -> tuple[Int[Array, "*edges"], Int[Array, "*edges"]]:
    """Compute divmod(nodes, width) without the extra operations for negative numbers."""
    nodes = jnp.asarray(nodes)
    divisor = jnp.full_like(nodes, width)
    return lax.div(nodes, divisor), lax.rem(nodes, divisor)


def edge_lengths(neighbours: Int[AnyArray, "*batch N k"], width: int) -> Float[Array, "*batch N k"]:
    """Return the Euclidean lengths of the edges, in pixels."""
    i = lax.broadcasted_iota(jnp.int32, neighbours.shape, neighbours.ndim - 2)
    (row_i, column_i), (row_j, column_j) = (_row_and_column(n, width) for n in (i, neighbours))
    return jnp.sqrt((row_i - row_j) ** 2 + (column_i - column_j) ** 2)


def in_degrees(neighbours: Int[AnyArray, "N k"]) -> Int[Array, "N"]:
    """Return the number of edges that end at each node."""
    return jnp.bincount(jnp.ravel(neighbours), length=len(neighbours))


def coordinates(height: int, width: int) -> Float[Array, "{height}*{width} 2"]:
    """Return the row and column of every node, each scaled to [-1, 1]."""
    rows, columns = jnp.linspace(-1.0, 1.0, height), jnp.linspace(-1.0, 1.0, width)
    return jnp.stack(jnp.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)
