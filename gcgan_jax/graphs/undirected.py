"""Products with the adjacency matrix of an undirected graph, without the N x N array.

N nodes, k neighbours that each of them lists, F features.
"""

from collections.abc import Callable
from functools import reduce

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, Int

from gcgan_jax.graphs.gather import gather_nodes, sum_at_nodes


def normalised_adjacency(
    neighbours: Int[Array, "N k"],
    weights: Float[Array, "N k"],
    *,
    loops: bool,
    at_a_time: int,
) -> Callable[[Float[Array, "N F"]], Float[Array, "N F"]]:
    """Return the function x -> D^-1/2 A D^-1/2 x, with D the row sums of A, or A + I for A.

    A_ij = A_ji is the largest weight of all edges that i and j list between them, 0 if there are
    none, and A_ii = 0. A node without edges, whose row sum is 0, has D^-1/2 = 0.

    Args:
        neighbours: node indices j, which may be repeated, or i.
        weights: edge weights, not negative.
        loops: take A + I for A, which connects each node to itself.
        at_a_time: neighbours of a node whose messages exist at a time. One is faster on a CPU,
            since no array is k times as large as x.
    """
    shares, k = shares_of_edges(neighbours, weights), neighbours.shape[-1]

    def multiply(x: Float[Array, "N F"], at_a_time: int) -> Float[Array, "N F"]:
        terms = [x] if loops else []
        for first in range(0, k, at_a_time):
            edges = slice(first, first + at_a_time)
            j, share = neighbours[:, edges], shares[:, edges, None]
            terms.append(jnp.sum(share * gather_nodes(x, j), axis=1))
            terms.append(sum_at_nodes(share * x[:, None], j))
        return reduce(jnp.add, terms)

    degrees = multiply(jnp.ones_like(weights[:, :1]), k)
    connected = degrees > 0
    scale = jnp.where(connected, lax.rsqrt(jnp.where(connected, degrees, 1)), 0)
    return lambda x: scale * multiply(scale * x, at_a_time)


def shares_of_edges(
    neighbours: Int[Array, "N k"], weights: Float[Array, "N k"]
) -> Float[Array, "N k"]:
    """Return what each edge that i lists adds to B_ij, so that A = B + B^T.

    A is that of `normalised_adjacency`. The n edges between i and j that have the largest weight
    share it, and its gradient: 1 / n each; the others add nothing.
    """
    i = jnp.arange(len(neighbours), dtype=neighbours.dtype)[:, None]
    fixed = lax.stop_gradient(weights)
    listed = (  # by each edge's own node and by the node at its other end: [N, k, k] each
        (neighbours[:, None] == neighbours[..., None], fixed[:, None]),
        (neighbours[neighbours] == i[..., None], fixed[neighbours]),
    )
    largest = reduce(
        jnp.maximum, (jnp.max(w, axis=-1, where=same, initial=0) for same, w in listed)
    )
    sharing = [same & (w == largest[..., None]) for same, w in listed]
    n = sum(jnp.sum(each, axis=-1, dtype=weights.dtype) for each in sharing)
    return jnp.where((neighbours != i) & (fixed == largest), weights / n, 0)
