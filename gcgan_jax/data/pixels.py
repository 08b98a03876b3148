"""Pixels as they are stored, uint8, and as the networks see them, in [-1, 1]."""

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, UInt8


def scale(images: UInt8[Array, "*shape"]) -> Float[Array, "*shape"]:
    """x / 127.5 - 1."""
    return images.astype(jnp.result_type(float)) / 127.5 - 1


def unscale(images: Float[Array, "*shape"]) -> UInt8[Array, "*shape"]:
    """The inverse, rounded."""
    return jnp.round((images + 1) * 127.5).astype(jnp.uint8)
