"""Graph convolution with the normalised adjacency matrix.

B images, N nodes, k neighbours, C features in (coordinates included), O features out.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax.linen.dtypes import promote_dtype
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Int

from gcgan_jax.arrays import AnyArray
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.graphs.tiling import map_images
from gcgan_jax.graphs.undirected import normalised_adjacency
from gcgan_jax.layers.linear import at_least_float32, linear


@jax.named_scope("gcn")
def gcn(
    h: Float[AnyArray, "B N C"],
    neighbours: Int[AnyArray, "B N k"],
    w: Float[AnyArray, "C O"],
    weights: Float[AnyArray, "B N k"] | None = None,
) -> Float[Array, "B N O"]:
    """Compute the layer of Kipf & Welling (2017, arXiv:1609.02907) without its nonlinearity:

        out = D~^-1/2 (A + I) D~^-1/2 h W,  D~ the row sums of A + I

    on the undirected graph of the given edges: A_ij = A_ji = 1 if i lists j or j lists i, however
    often, and A_ii = 0. W is applied once per node, and sums are taken in at least float32.

    Args:
        h: features.
        neighbours: node indices j.
        w: weight matrix.
        weights: edge weights, not negative; A_ij is k times the largest of those between i and j.
            None: 1 / k.

    Example:
        >>> h = jnp.array([[[1.0], [2.0], [6.0]]])
        >>> neighbours = jnp.array([[[1], [2], [0]]])
        >>> out = gcn(h, neighbours, w=jnp.ones((1, 1)))  # all are connected
        >>> print(np.asarray(out[0, :, 0]).round(3))
        [3. 3. 3.]
    """
    dtype, k = at_least_float32(h.dtype), neighbours.shape[-1]
    terms = linear(h, w, dtype)
    uniform = jnp.ones(neighbours.shape, dtype)
    edge_weights = uniform if weights is None else k * jnp.asarray(weights, dtype)

    def per_image(
        at_a_time: int,
        terms: Float[Array, "N O"],
        neighbours: Int[Array, "N k"],
        weights: Float[Array, "N k"],
    ) -> Float[Array, "N O"]:
        return normalised_adjacency(neighbours, weights, loops=True, at_a_time=at_a_time)(terms)

    out = map_images(
        partial(per_image, k),
        *(terms, neighbours, edge_weights),
        image_bytes=terms.itemsize * h.shape[1] * k * max(k, w.shape[-1]),
        on_cpu=partial(per_image, 1),
    )
    return out.astype(h.dtype)


class GCN(nn.Module):
    """`gcn` with Glorot normal weights, computed in `dtype` (None: that of the inputs).

    Example:
        >>> h, neighbours = jnp.ones((1, 3, 4)), Neighbours(jnp.array([[[1], [2], [0]]]))
        >>> variables = GCN(features=5).init(jax.random.key(0), h, neighbours)
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
        return gcn(h, neighbours.indices, w, neighbours.weights)
