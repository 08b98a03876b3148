"""The edges of a graph, as graphs give them and operators take them.

B images, N nodes, k neighbours.
"""

from typing import NamedTuple

from jaxtyping import Float, Int

from gcgan_jax.arrays import AnyArray


class Neighbours(NamedTuple):
    """The edges of a graph: k from each node i to nodes j.

    Attributes:
        indices: j.
        weights: w_ij, by which each edge's message counts k w_ij times; None: once. Those of a node
            sum to 1.
    """

    indices: Int[AnyArray, "B N k"]
    weights: Float[AnyArray, "B N k"] | None = None
