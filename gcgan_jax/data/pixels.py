"""Conversion between stored pixels, uint8, and those of the networks, in [-1, 1]."""

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, UInt8


def scale(images: UInt8[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Convert uint8 to [-1, 1]: x / 127.5 - 1."""
    return images.astype(jnp.result_type(float)) / 127.5 - 1


def unscale(images: Float[Array, "*shape"]) -> UInt8[Array, "*shape"]:
    """Convert [-1, 1] to uint8, rounding to nearest; the inverse of `scale`."""
    return jnp.round((images + 1) * 127.5).astype(jnp.uint8)
