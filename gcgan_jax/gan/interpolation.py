"""Ways between latents.

L latent size, P waypoints, S steps from one to the next.
"""

from collections.abc import Callable
from itertools import pairwise

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from gcgan_jax.arrays import AnyArray

Latent = Float[AnyArray, "L"]
Between = Callable[[Latent, Latent, Float[AnyArray, "S"]], Float[AnyArray, "S L"]]


def linear(a: Latent, b: Latent, t: Float[AnyArray, "S"]) -> Float[AnyArray, "S L"]:
    """(1 - t) a + t b."""
    return (1 - t)[:, None] * a[None] + t[:, None] * b[None]


def spherical(a: Latent, b: Latent, t: Float[AnyArray, "S"]) -> Float[Array, "S L"]:
    """Shoemake 1985, used for latents by White 2016 (arXiv:1609.04468):

        (sin((1 - t) w) a + sin(t w) b) / sin w,  w the angle between a and b

    which stays where Gaussian latents are, at a norm near sqrt(L), while the linear way passes
    nearer to 0. Of (anti)parallel a and b it is the linear one.
    """
    cosine = jnp.vdot(a, b) / (jnp.linalg.norm(a) * jnp.linalg.norm(b))
    angle = jnp.arccos(jnp.clip(cosine, -1, 1))
    straight = jnp.sin(angle) < 1e-4
    sine = jnp.where(straight, 1.0, jnp.sin(angle))
    curved = jnp.sin((1 - t) * angle)[:, None] * a[None] + jnp.sin(t * angle)[:, None] * b[None]
    return jnp.where(straight, linear(a, b, t), curved / sine)


def through(
    waypoints: Float[AnyArray, "P L"], steps: int, between: Between
) -> Float[Array, "(P-1)*{steps}+1 L"]:
    """`steps` latents from each waypoint to the next, and the last waypoint."""
    t = jnp.arange(steps) / steps
    parts = [between(a, b, t) for a, b in pairwise(waypoints)]
    return jnp.concatenate([*parts, waypoints[-1:]])
