"""The interface between graphs and operators: the edges of a graph.

B images, N nodes, k neighbours.
"""

from typing import NamedTuple

from jaxtyping import Float, Int

from gcgan_jax.arrays import AnyArray


class Neighbours(NamedTuple):
    """Edges of a graph: k from each node i to nodes j.

    Attributes:
        indices: node indices j.
        weights: edge weights w_ij; operators multiply each message by k w_ij, so that uniform
            weights 1 / k change nothing. None leaves messages unweighted.

    Example:
        >>> ring = Neighbours(jnp.array([[[1], [2], [0]]]))  # of three nodes, one neighbour each
        >>> ring.indices.shape, ring.weights
        ((1, 3, 1), None)
    """

    indices: Int[AnyArray, "B N k"]
    weights: Float[AnyArray, "B N k"] | None = None
