"""Spectral graph convolution with a Chebyshev polynomial of the Laplacian.

B images, N nodes, k neighbours, K order of the polynomial, T = K + 1 its terms, C features in
(coordinates included), O features out.
"""

from functools import partial
from typing import Annotated

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
from gcgan_jax.ranges import Interval


@jax.named_scope("chebyshev_conv")
def chebyshev_conv(
    h: Float[AnyArray, "B N C"],
    neighbours: Int[AnyArray, "B N k"],
    w: Float[AnyArray, "T C O"],
    weights: Float[AnyArray, "B N k"] | None = None,
) -> Float[Array, "B N O"]:
    """Compute the filter of Defferrard et al. (2016, arXiv:1606.09375), thesis 3.1:

        out = sum_t T_t(L~) h W_t,  t = 0 ... K,  L~ = -D^-1/2 A D^-1/2
        T_0(x) = 1,  T_1(x) = x,  T_t(x) = 2 x T_{t-1}(x) - T_{t-2}(x)

    L~ = 2 L / lambda_max - I for the normalised Laplacian L = I - D^-1/2 A D^-1/2, of which 2
    bounds the eigenvalues, and is taken as lambda_max. A and D are those of `operators.gcn.gcn`
    without the self-loops; at a node without edges, D^-1/2 = 0.

    By Clenshaw's recurrence, h W_t is needed instead of T_t(L~) h, so that each W_t is applied once
    per node and the backward pass stores no powers of L~:

        b_t = h W_t + 2 L~ b_{t+1} - b_{t+2},  b_{K+1} = b_{K+2} = 0,
        out = h W_0 + L~ b_1 - b_2

    in at least float32.

    Args:
        h: features.
        neighbours: node indices j.
        w: weight matrices W_0 to W_K.
        weights: edge weights, not negative; A_ij is k times the largest of those between i and j,
            a factor that L~ does not depend on. None: unweighted.

    Raises:
        ValueError: K is 0, so that there is nothing to propagate.

    Example:
        >>> h = jnp.array([[[1.0], [2.0], [6.0]]])
        >>> neighbours = jnp.array([[[1], [2], [0]]])
        >>> w = jnp.array([0.0, 1.0]).reshape(2, 1, 1)  # T_1 alone: L~ h
        >>> out = chebyshev_conv(h, neighbours, w)  # minus the mean of the others
        >>> print(np.asarray(out[0, :, 0]).round(3))
        [-4.  -3.5 -1.5]
    """
    if len(w) < 2:
        raise ValueError("a polynomial of order 0 uses no graph: give at least two matrices")
    dtype, k = at_least_float32(h.dtype), neighbours.shape[-1]
    terms = linear(h, jnp.concatenate([*w], axis=1), dtype)
    uniform = jnp.ones(neighbours.shape, dtype)
    out = map_images(
        partial(_clenshaw, len(w), k),
        *(terms, neighbours, uniform if weights is None else jnp.asarray(weights, dtype)),
        image_bytes=terms.itemsize * h.shape[1] * max(k * k, k * w.shape[-1], terms.shape[-1]),
        on_cpu=partial(_clenshaw, len(w), 1),
    )
    return out.astype(h.dtype)


def _clenshaw(
    T: int,
    at_a_time: int,
    terms: Float[Array, "N TO"],
    neighbours: Int[Array, "N k"],
    weights: Float[Array, "N k"],
) -> Float[Array, "N O"]:
    """Return sum_t T_t(L~) y_t of one image, `terms` being y_0 to y_K side by side."""
    propagate = normalised_adjacency(neighbours, weights, loops=False, at_a_time=at_a_time)
    y_0, *others, b_1 = jnp.split(terms, T, axis=-1)
    b_2 = jnp.zeros_like(y_0)
    for y_t in reversed(others):
        b_1, b_2 = y_t - 2 * propagate(b_1) - b_2, b_1
    return y_0 - propagate(b_1) - b_2


class ChebyshevConv(nn.Module):
    """`chebyshev_conv`, a polynomial of the given order, computed in `dtype` (None: as the inputs).

    The weights are initialised Glorot normal, and smaller by sqrt(order + 1), so that the sum of
    all terms has the size of one.

    Example:
        >>> h, neighbours = jnp.ones((1, 3, 4)), Neighbours(jnp.array([[[1], [2], [0]]]))
        >>> variables = ChebyshevConv(features=5, order=2).init(jax.random.key(0), h, neighbours)
        >>> jax.tree.map(jnp.shape, variables["params"])
        {'w': (3, 4, 5)}
    """

    features: int
    order: Annotated[int, Interval(1, 64)] = 3
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(
        self, h: Float[AnyArray, "B N C"], neighbours: Neighbours
    ) -> Float[Array, "B N {self.features}"]:
        T = self.order + 1
        init = nn.initializers.variance_scaling(1 / T, "fan_avg", "truncated_normal", batch_axis=0)
        w = self.param("w", init, (T, h.shape[-1], self.features), float)
        h, w = promote_dtype(h, w, dtype=self.dtype)
        return chebyshev_conv(h, neighbours.indices, w, neighbours.weights)
