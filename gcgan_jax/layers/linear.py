"""Matmul of features and weights, in the formulation that XLA differentiates fastest on a CPU."""

from collections.abc import Callable
from functools import partial

import flax.linen as nn
import jax.numpy as jnp
from flax.linen.dtypes import promote_dtype
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from gcgan_jax.arrays import AnyArray

DENSE = partial(nn.Dense, kernel_init=nn.initializers.glorot_normal(), param_dtype=float)


def linear(
    x: Float[AnyArray, "*rows F"],
    weights: Float[AnyArray, "F O"],
    out_dtype: DTypeLike | None = None,
) -> Float[Array, "*rows O"]:
    """Compute x @ weights as a product of two matrices, in `out_dtype` (None: that of x).

    With more than two axes, the gradient with respect to the weights would first copy and transpose
    x, which takes longer than the matmul itself.
    """
    rows = x.reshape(-1, x.shape[-1])
    out = jnp.matmul(rows, weights, preferred_element_type=out_dtype)
    return out.reshape(*x.shape[:-1], weights.shape[-1])


def pointwise(
    layer: Callable[[Array], Array], x: Float[Array, "B H W F"]
) -> Float[Array, "B H W _"]:
    """Apply a dense layer to the features of each pixel, as a product of two matrices."""
    rows = layer(x.reshape(-1, x.shape[-1]))
    return rows.reshape(*x.shape[:-1], -1)


def at_least_float32(dtype: DTypeLike) -> DTypeLike:
    """Return the dtype in which differences of features are taken, whatever the compute dtype."""
    return jnp.promote_types(dtype, jnp.float32)


class Linear(nn.Module):
    """Linear map of features without bias, Glorot normal: on images, a 1x1 convolution.

    `dtype` is that of the computation; None: that of the inputs.

    Example:
        >>> params = {"kernel": jnp.array([[1.0, -1.0]])}
        >>> Linear(features=2).apply({"params": params}, jnp.array([[[3.0], [4.0]]])).tolist()
        [[[3.0, -3.0], [4.0, -4.0]]]
    """

    features: int
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Float[AnyArray, "*rows F"]) -> Float[Array, "*rows {self.features}"]:
        shape = (x.shape[-1], self.features)
        kernel = self.param("kernel", nn.initializers.glorot_normal(), shape, float)
        return linear(*promote_dtype(x, kernel, dtype=self.dtype))
