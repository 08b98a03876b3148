"""Weighted mean of the neighbours' features.

B images, N nodes, k neighbours, C features in (coordinates included), O features out.
"""

from functools import reduce

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax.linen.dtypes import promote_dtype
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Int

from gcgan_jax.arrays import AnyArray
from gcgan_jax.graphs.gather import gather_nodes
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.graphs.tiling import map_images
from gcgan_jax.layers.linear import at_least_float32, linear


@jax.named_scope("aggregate")
def aggregate(
    h: Float[AnyArray, "B N C"],
    neighbours: Int[AnyArray, "B N k"],
    w: Float[AnyArray, "C O"],
    weights: Float[AnyArray, "B N k"] | None = None,
) -> Float[Array, "B N O"]:
    """Compute out_i = sum_j w_ij W h_j, with w_ij = 1 / k if `weights` is None.

    With `soft_knn`'s weights this is attention to the top k nodes (N3Net, arXiv:1810.12575, has a
    relaxed form of it). W is applied once per node, and sums are taken in at least float32.

    Example:
        >>> h = jnp.array([[[1.0], [2.0], [6.0]]])
        >>> neighbours = jnp.array([[[1], [2], [0]]])
        >>> aggregate(h, neighbours, w=jnp.full((1, 1), 2.0))[0, :, 0].tolist()  # 2 h_j
        [4.0, 12.0, 2.0]
    """
    terms = linear(h, w, at_least_float32(h.dtype))
    k, O = neighbours.shape[-1], w.shape[-1]

    def per_image(
        terms: Float[Array, "N O"], neighbours: Int[Array, "N k"], *weights: Float[Array, "N k"]
    ) -> Float[Array, "N O"]:
        messages = gather_nodes(terms, neighbours)
        if not weights:
            return jnp.mean(messages, axis=1)
        return jnp.sum(messages * weights[0][..., None], axis=1)

    def by_neighbour(
        terms: Float[Array, "N O"], neighbours: Int[Array, "N k"], *weights: Float[Array, "N k"]
    ) -> Float[Array, "N O"]:
        """Compute it without a k times larger array of messages, which is faster on a CPU."""

        def message(j: int) -> Array:
            h_j = gather_nodes(terms, neighbours[:, j : j + 1])[:, 0]
            return h_j * (weights[0][:, j, None] if weights else 1 / k)

        return reduce(jnp.add, map(message, range(k)))

    out = map_images(
        per_image,
        *(terms, neighbours, *([] if weights is None else [weights])),
        image_bytes=terms.itemsize * h.shape[1] * k * O,
        on_cpu=by_neighbour,
    )
    return out.astype(h.dtype)


class Aggregate(nn.Module):
    """`aggregate` with Glorot normal weights, computed in `dtype` (None: that of the inputs).

    Example:
        >>> h, neighbours = jnp.ones((1, 3, 4)), Neighbours(jnp.array([[[1], [2], [0]]]))
        >>> variables = Aggregate(features=5).init(jax.random.key(0), h, neighbours)
        >>> jax.tree.map(jnp.shape, variables["params"])
        {'w': (4, 5)}
    """

    features: int
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(
        self, h: Float[AnyArray, "B N C"], neighbours: Neighbours
    ) -> Float[Array, "B N {self.features}"]:
        shape = (h.shape[-1], self.features)
        w = self.param("w", nn.initializers.glorot_normal(), shape, float)
        h, w = promote_dtype(h, w, dtype=self.dtype)
        return aggregate(h, neighbours.indices, w, neighbours.weights)
