"""Ways between latents.

L latent size, P waypoints, S steps from one to the next.
"""

from collections.abc import Callable
from itertools import pairwise

import jax.numpy as jnp
from jax import Array

Between = Callable[[Array, Array, Array], Array]


def linear(a: Array, b: Array, t: Array) -> Array:
    """(1 - t) a + t b: [L], [L], [S] -> [S, L]."""
    return (1 - t)[:, None] * a[None] + t[:, None] * b[None]


def spherical(a: Array, b: Array, t: Array) -> Array:
    """Shoemake 1985, used for latents by White 2016 (arXiv:1609.04468):

        (sin((1 - t) w) a + sin(t w) b) / sin w,  w the angle between a and b

    which stays where Gaussian latents are, at a norm near sqrt(L), while the linear way passes
    nearer to 0. Of (anti)parallel a and b it is the linear one. [L], [L], [S] -> [S, L].
    """
    cosine = jnp.vdot(a, b) / (jnp.linalg.norm(a) * jnp.linalg.norm(b))
    angle = jnp.arccos(jnp.clip(cosine, -1, 1))
    straight = jnp.sin(angle) < 1e-4
    sine = jnp.where(straight, 1.0, jnp.sin(angle))
    curved = jnp.sin((1 - t) * angle)[:, None] * a[None] + jnp.sin(t * angle)[:, None] * b[None]
    return jnp.where(straight, linear(a, b, t), curved / sine)


def through(waypoints: Array, steps: int, between: Between) -> Array:
    """[P, L] -> [(P - 1) S + 1, L], from the first waypoint to the last."""
    t = jnp.arange(steps) / steps
    parts = [between(a, b, t) for a, b in pairwise(waypoints)]
    return jnp.concatenate([*parts, waypoints[-1:]])
