"""Self-attention over all nodes of an image.

B images, N nodes, C features in (coordinates included), D features of the affine space, O out.
"""

from typing import Annotated, NamedTuple

import flax.linen as nn
import jax
from flax.linen.dtypes import promote_dtype
from jax import Array, lax
from jax.typing import DTypeLike
from jaxtyping import Float

from gcgan_jax.arrays import AnyArray
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.graphs.tiling import map_images
from gcgan_jax.layers.linear import at_least_float32, linear
from gcgan_jax.ranges import Interval

ROWS = 256  # most nodes whose weights are computed at a time


class Projections(NamedTuple):
    """The four matrices of `self_attention`."""

    w_f: Float[AnyArray, "C D"]
    w_g: Float[AnyArray, "C D"]
    w_h: Float[AnyArray, "C D"]
    w_v: Float[AnyArray, "D O"]


@jax.named_scope("self_attention")
def self_attention(h: Float[AnyArray, "B N C"], projections: Projections) -> Float[Array, "B N O"]:
    """Compute SAGAN's attention, thesis eq. 4.1 and 4.2 (Zhang et al. 2019, arXiv:1805.08318):

        out_i = W_v sum_j softmax_j( (W_f h_i) . (W_g h_j) ) W_h h_j

    over all nodes j. At most `ROWS` rows of an image's N x N weights exist at a time, also in the
    backward pass, which recomputes them. Products and the softmax are in at least float32.

    Example:
        >>> h = jnp.array([[[1.0], [2.0], [6.0]]])
        >>> one, zero = jnp.ones((1, 1)), jnp.zeros((1, 1))  # equal weights: a mean
        >>> out = self_attention(h, Projections(zero, zero, one, one))
        >>> print(np.asarray(out[0, :, 0]).round(3))
        [3. 3. 3.]
    """
    dtype = at_least_float32(h.dtype)
    f, g, values = (linear(h, w, dtype) for w in projections[:3])
    N, D = f.shape[1:]
    rows = next(rows for rows in range(min(N, ROWS), 0, -1) if N % rows == 0)

    @jax.checkpoint
    def attend(
        f: Float[Array, "R D"], g: Float[Array, "N D"], values: Float[Array, "N D"]
    ) -> Float[Array, "R D"]:
        return jax.nn.softmax(f @ g.T, axis=-1) @ values

    def per_image(
        f: Float[Array, "N D"], g: Float[Array, "N D"], values: Float[Array, "N D"]
    ) -> Float[Array, "N D"]:
        tiles = f.reshape(-1, rows, D)
        return lax.map(lambda tile: attend(tile, g, values), tiles).reshape(N, D)

    context = map_images(per_image, f, g, values, image_bytes=f.itemsize * rows * N)
    return linear(context.astype(h.dtype), projections.w_v)


class SelfAttention(nn.Module):
    """`self_attention` with Glorot normal weights, computed in `dtype` (None: as the inputs).

    Attributes:
        inner: D; None: max(8, F // 8), where F = C - 2 features are no coordinates.

    Example:
        >>> operator, h = SelfAttention(features=5, inner=2), jnp.ones((1, 3, 4))
        >>> variables = operator.init(jax.random.key(0), h)
        >>> jax.tree.map(jnp.shape, variables["params"])
        {'w_f': (4, 2), 'w_g': (4, 2), 'w_h': (4, 2), 'w_v': (2, 5)}
    """

    features: int
    inner: Annotated[int | None, Interval(1, 2**16)] = None
    dtype: DTypeLike | None = None

    needs_graph = False

    @nn.compact
    def __call__(
        self, h: Float[AnyArray, "B N C"], neighbours: Neighbours | None = None
    ) -> Float[Array, "B N {self.features}"]:
        C = h.shape[-1]
        D = self.inner or max(8, (C - 2) // 8)
        glorot = nn.initializers.glorot_normal()
        weights = [self.param(f"w_{name}", glorot, (C, D), float) for name in "fgh"]
        weights.append(self.param("w_v", glorot, (D, self.features), float))
        h, *weights = promote_dtype(h, *weights, dtype=self.dtype)
        return self_attention(h, Projections(*weights))
