"""Graphs by name: Modules that say which pixels are connected.

B images, H rows, W columns, N = H * W nodes (pixels, row-major), F features, k neighbours.
"""

from typing import Annotated, NamedTuple

import flax.linen as nn
from jax import Array
from jaxtyping import Float, Int, Key

from gcgan_jax.arrays import AnyArray
from gcgan_jax.fields import Interval
from gcgan_jax.graph import knn
from gcgan_jax.window import check_knn


class Neighbours(NamedTuple):
    """The edges of a graph: k from each node i to nodes j.

    Attributes:
        indices: j.
        weights: w_ij, by which each edge's message counts k w_ij times; None: once. Those of a node
            sum to 1.
    """

    indices: Int[AnyArray, "B N k"]
    weights: Float[AnyArray, "B N k"] | None = None


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


GRAPHS: dict[str, type[nn.Module]] = {"knn": KNN}
