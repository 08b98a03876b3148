"""Interpolation between latents.

L latent size, P waypoints, S steps from each waypoint to the next.
"""

from collections.abc import Callable
from itertools import pairwise

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from gcgan_jax.arrays import AnyArray

Latent = Float[AnyArray, "L"]
Interpolation = Callable[[Latent, Latent, Float[AnyArray, "S"]], Float[AnyArray, "S L"]]


def linear(a: Latent, b: Latent, t: Float[AnyArray, "S"]) -> Float[AnyArray, "S L"]:
    """Interpolate linearly: (1 - t) a + t b."""
    return (1 - t)[:, None] * a[None] + t[:, None] * b[None]


def spherical(a: Latent, b: Latent, t: Float[AnyArray, "S"]) -> Float[Array, "S L"]:
    """Interpolate spherically (slerp; Shoemake 1985, for latents White 2016, arXiv:1609.04468):

        (sin((1 - t) w) a + sin(t w) b) / sin w,  w the angle between a and b

    which keeps the typical norm of Gaussian latents, about sqrt(L), whereas linear interpolation
    passes closer to 0. Between (anti)parallel a and b it falls back to linear interpolation.
    """
    cosine = jnp.vdot(a, b) / (jnp.linalg.norm(a) * jnp.linalg.norm(b))
    angle = jnp.arccos(jnp.clip(cosine, -1, 1))
    parallel = jnp.sin(angle) < 1e-4
    sine = jnp.where(parallel, 1.0, jnp.sin(angle))
    weighted = jnp.sin((1 - t) * angle)[:, None] * a[None] + jnp.sin(t * angle)[:, None] * b[None]
    return jnp.where(parallel, linear(a, b, t), weighted / sine)


def latent_path(
    waypoints: Float[AnyArray, "P L"], steps: int, interpolation: Interpolation
) -> Float[Array, "(P-1)*{steps}+1 L"]:
    """Return a path through all waypoints, with `steps` latents from each to the next."""
    t = jnp.arange(steps) / steps
    segments = [interpolation(a, b, t) for a, b in pairwise(waypoints)]
    return jnp.concatenate([*segments, waypoints[-1:]])
