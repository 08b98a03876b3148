"""Max-relative graph convolution on the edges of a given graph.

B images, N nodes, k neighbours, C features in (coordinates included), O features out.
"""

from functools import partial, reduce

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


@jax.named_scope("max_relative")
def max_relative(
    h: Float[AnyArray, "B N C"],
    neighbours: Int[AnyArray, "B N k"],
    w: Float[AnyArray, "2*C O"],
    weights: Float[AnyArray, "B N k"] | None = None,
) -> Float[Array, "B N O"]:
    """Compute the graph convolution of ViG (Han et al. 2022, arXiv:2206.00272):

        out_i = W [ h_i ; max_j (h_j - h_i) ]

    W is applied once per node, and differences are taken in at least float32. Neighbours that share
    the maximum share its gradient.

    Args:
        h: features.
        neighbours: node indices j.
        w: weight matrix, of h_i in its first C rows and of the maximum in the others.
        weights: edge weights; each difference is multiplied by k times its weight. None:
            unweighted.

    Example:
        >>> h = jnp.array([[[1.0], [2.0], [6.0]]])
        >>> neighbours = jnp.array([[[1], [2], [0]]])
        >>> max_relative(h, neighbours, w=jnp.ones((2, 1)))[0, :, 0].tolist()  # h_i + (h_j - h_i)
        [2.0, 6.0, 1.0]
    """
    (_, N, C), k = h.shape, neighbours.shape[-1]
    largest = map_images(
        partial(_largest, k),
        *(jnp.asarray(h), neighbours, *([] if weights is None else [weights])),
        image_bytes=jnp.dtype(at_least_float32(h.dtype)).itemsize * N * k * C,
        on_cpu=partial(_largest, 1),
    )
    return linear(h, w[:C]) + linear(largest, w[C:])


@partial(jax.checkpoint, static_argnums=0)
def _largest(
    at_a_time: int,
    h: Float[Array, "N C"],
    neighbours: Int[Array, "N k"],
    *weights: Float[Array, "N k"],
) -> Float[Array, "N C"]:
    """Return one image's largest differences, from so many neighbours of a node at a time.

    One at a time is faster on a CPU, since no array is k times as large as h.
    """
    dtype, k = at_least_float32(h.dtype), neighbours.shape[-1]
    own = h[:, None].astype(dtype)

    def of_edges(first: int) -> Array:
        edges = slice(first, first + at_a_time)
        difference = gather_nodes(h, neighbours[:, edges]).astype(dtype) - own
        if weights:
            difference = difference * (k * weights[0][:, edges, None])
        return jnp.max(difference, axis=1)

    return reduce(jnp.maximum, map(of_edges, range(0, k, at_a_time))).astype(h.dtype)


class MaxRelative(nn.Module):
    """`max_relative` with Glorot normal weights, computed in `dtype` (None: as the inputs).

    Example:
        >>> h, neighbours = jnp.ones((1, 3, 4)), Neighbours(jnp.array([[[1], [2], [0]]]))
        >>> variables = MaxRelative(features=5).init(jax.random.key(0), h, neighbours)
        >>> jax.tree.map(jnp.shape, variables["params"])
        {'w': (8, 5)}
    """

    features: int
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(
        self, h: Float[AnyArray, "B N C"], neighbours: Neighbours
    ) -> Float[Array, "B N {self.features}"]:
        shape = (2 * h.shape[-1], self.features)
        w = self.param("w", nn.initializers.glorot_normal(), shape, float)
        h, w = promote_dtype(h, w, dtype=self.dtype)
        return max_relative(h, neighbours.indices, w, neighbours.weights)
