"""The product of features and weights, as XLA on a CPU differentiates it fastest."""

import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from gcgan_jax.arrays import AnyArray


def linear(
    x: Float[AnyArray, "*rows F"],
    weights: Float[AnyArray, "F O"],
    out_dtype: DTypeLike | None = None,
) -> Float[Array, "*rows O"]:
    """x @ weights as a product of two matrices.

    With more axes than two, the gradient by the weights first copies x, transposed, and takes
    longer over that than over the product. The result is of `out_dtype`, x's if None.
    """
    rows = x.reshape(-1, x.shape[-1])
    out = jnp.matmul(rows, weights, preferred_element_type=out_dtype)
    return out.reshape(*x.shape[:-1], weights.shape[-1])


def at_least_float32(dtype: DTypeLike) -> DTypeLike:
    """The type in which differences of features are taken, whatever they are computed in."""
    return jnp.promote_types(dtype, jnp.float32)
