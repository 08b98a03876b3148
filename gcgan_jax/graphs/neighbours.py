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
    """

    indices: Int[AnyArray, "B N k"]
    weights: Float[AnyArray, "B N k"] | None = None
