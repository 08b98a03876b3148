"""Gradient penalties.

B images, of any shape.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from gcgan_jax.arrays import AnyArray

Critic = Callable[[Float[AnyArray, "B ..."]], Float[Array, "B"]]


def gradient_penalty(
    critic: Critic,
    real: Float[AnyArray, "B *image"],
    fake: Float[AnyArray, "B *image"],
    mix: Float[AnyArray, "B"],
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """E[(||grad_x D(x)||_2 - 1)^2] at x = epsilon real + (1 - epsilon) fake, and E[||grad_x D||_2].

    Gulrajani et al. 2017, arXiv:1704.00028, eq. 3.

    Args:
        critic: the critic D.
        real, fake: real and generated images.
        mix: epsilon of each image.

    Example:
        >>> critic, images = lambda images: (images**2).sum(1) / 2, jnp.array([[3.0, 4.0]])
        >>> penalty, norm = gradient_penalty(critic, images, images, mix=jnp.array([0.5]))
        >>> float(penalty), float(norm)
        (16.0, 5.0)
    """
    mix = mix.reshape(-1, *[1] * (real.ndim - 1))
    norms = gradient_norms(critic, mix * real + (1 - mix) * fake)
    return jnp.mean((norms - 1) ** 2), jnp.mean(norms)


def gradient_norms(critic: Critic, x: Float[AnyArray, "B ..."]) -> Float[Array, "B"]:
    """Compute ||grad D||_2 at each image, over its rows, columns and channels.

    Where the gradient is zero, the norm is 0 and its derivative is defined as 0 instead of 0/0.

    Example:
        >>> critic, images = lambda images: (images**2).sum(1) / 2, jnp.array([[3.0, 4.0]])
        >>> gradient_norms(critic, images).tolist()
        [5.0]
    """
    squares = squared_gradient_norms(critic, x)
    positive = squares > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, squares, 1)), 0)


@jax.named_scope("gradient_penalty")
def squared_gradient_norms(critic: Critic, x: Float[AnyArray, "B ..."]) -> Float[Array, "B"]:
    """Compute ||grad D||_2^2 at each image; its mean is R1 at real images and R2 at generated ones.

    Mescheder et al. 2018, arXiv:1801.04406, eq. 9; Huang et al. 2024, arXiv:2501.05441.

    Example:
        >>> critic, images = lambda images: (images**2).sum(1) / 2, jnp.array([[3.0, 4.0]])
        >>> squared_gradient_norms(critic, images).tolist()
        [25.0]
    """
    gradients = jax.grad(lambda x: jnp.sum(critic(x)))(x)
    return jnp.sum(gradients**2, axis=tuple(range(1, x.ndim)))
