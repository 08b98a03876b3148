"""The mean of all nodes, as a context that all of them share.

B images, N nodes, C features in (coordinates included), O features out.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax.linen.dtypes import promote_dtype
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from gcgan_jax.arrays import AnyArray
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.layers.linear import at_least_float32


@jax.named_scope("global_context")
def global_context(h: Float[AnyArray, "B N C"], w: Float[AnyArray, "C O"]) -> Float[Array, "B N O"]:
    """Compute out_i = W mean_j h_j over all nodes j, the same at every node i.

    A control without a graph: GCNet (Cao et al. 2019, arXiv:1904.11492) found that the contexts of
    non-local blocks hardly depend on the query i. The mean is taken in at least float32.

    Example:
        >>> h = jnp.array([[[1.0], [2.0], [6.0]]])
        >>> global_context(h, w=jnp.ones((1, 1)))[0, :, 0].tolist()
        [3.0, 3.0, 3.0]
    """
    B, N, _ = h.shape
    mean = jnp.mean(h, axis=1, dtype=at_least_float32(h.dtype)).astype(h.dtype)
    return jnp.broadcast_to((mean @ w)[:, None], (B, N, w.shape[-1]))


class GlobalContext(nn.Module):
    """`global_context` with Glorot normal weights, computed in `dtype` (None: as the inputs).

    Example:
        >>> variables = GlobalContext(features=5).init(jax.random.key(0), jnp.ones((1, 3, 4)))
        >>> jax.tree.map(jnp.shape, variables["params"])
        {'w': (4, 5)}
    """

    features: int
    dtype: DTypeLike | None = None

    needs_graph = False

    @nn.compact
    def __call__(
        self, h: Float[AnyArray, "B N C"], neighbours: Neighbours | None = None
    ) -> Float[Array, "B N {self.features}"]:
        shape = (h.shape[-1], self.features)
        w = self.param("w", nn.initializers.glorot_normal(), shape, float)
        h, w = promote_dtype(h, w, dtype=self.dtype)
        return global_context(h, w)
