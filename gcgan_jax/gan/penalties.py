"""Penalties on the critic's gradient.

B images, of any shape.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from gcgan_jax.arrays import AnyArray

Critic = Callable[[Float[AnyArray, "B ..."]], Float[Array, "B"]]


@jax.named_scope("gradient_penalty")
def gradient_norms(critic: Critic, x: Float[AnyArray, "B ..."]) -> Float[Array, "B"]:
    """||grad D||_2 at each image, over its rows, columns and channels.

    At a zero gradient the norm is 0 and its derivative is taken as 0, not 0/0.
    """
    gradients = jax.grad(lambda x: jnp.sum(critic(x)))(x)
    squares = jnp.sum(gradients**2, axis=tuple(range(1, x.ndim)))
    positive = squares > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, squares, 1)), 0)
