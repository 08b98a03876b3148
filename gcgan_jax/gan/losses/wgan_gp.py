"""The losses of WGAN-GP, for any critic.

Gulrajani et al. 2017, arXiv:1704.00028, Algorithm 1; thesis 2.5.1, Algorithm 3.

B images, of any shape.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from gcgan_jax.arrays import AnyArray
from gcgan_jax.gan.losses.loss import Images, Iteration, Keys, Metrics, Scalar
from gcgan_jax.gan.penalties import Critic, gradient_penalty
from gcgan_jax.gan.rng import draw_mix
from gcgan_jax.ranges import Interval


@dataclass(frozen=True)
class WGANGP:
    """Wasserstein losses with a gradient penalty of weight lambda; see `critic_loss`.

    Attributes:
        penalty_weight: lambda.

    Example:
        >>> critic = lambda images: images.sum((1, 2, 3)) / 2
        >>> real, fake = jnp.ones((2, 2, 2, 1)), jnp.zeros((2, 2, 2, 1))  # D = 2 and 0
        >>> keys, iteration = jax.random.split(jax.random.key(0), 2), jnp.array(0)
        >>> loss, metrics = WGANGP().critic_loss(critic, real, fake, keys, iteration)
        >>> float(loss), float(metrics["gradient_norm"])
        (-2.0, 1.0)
    """

    per_sample_penalty: ClassVar[bool] = True

    penalty_weight: Annotated[float, Interval(0, 1e6)] = 10.0

    def critic_loss(
        self, critic: Critic, real: Images, fake: Images, keys: Keys, iteration: Iteration
    ) -> tuple[Scalar, Metrics]:
        return critic_loss(critic, real, fake, draw_mix(keys), penalty_weight=self.penalty_weight)

    def generator_loss(
        self, critic: Critic, real: Images, fake: Images, keys: Keys, iteration: Iteration
    ) -> Scalar:
        return generator_loss(critic, fake)

    def project(self, critic_params: Any) -> Any:
        return critic_params


def critic_loss(
    critic: Critic,
    real: Float[AnyArray, "B *image"],
    fake: Float[AnyArray, "B *image"],
    mix: Float[AnyArray, "B"],
    *,
    penalty_weight: float,
) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
    """L = E[D(fake)] - E[D(real)] + lambda E[(||grad_x D(x)||_2 - 1)^2] at x = mix(real, fake).

    Args:
        critic: the critic D.
        real, fake: real and generated images.
        mix: epsilon of each image: x = epsilon real + (1 - epsilon) fake.
        penalty_weight: lambda.

    Returns:
        L and its parts: `wasserstein` E[D(real)] - E[D(fake)], `gradient_penalty` without lambda,
        and `gradient_norm`, the mean norm.

    Example:
        >>> real, fake = jnp.array([[3.0, 0.0]]), jnp.array([[1.0, 0.0]])
        >>> critic, mix = lambda images: 2 * images[:, 0], jnp.array([0.5])
        >>> loss, metrics = critic_loss(critic, real, fake, mix, penalty_weight=10.0)
        >>> float(metrics["gradient_norm"]), float(loss)  # 2 - 6 + 10 (2 - 1)^2
        (2.0, 6.0)
    """
    d_real, d_fake = jnp.split(critic(jnp.concatenate([real, fake])), 2)
    wasserstein = jnp.mean(d_real) - jnp.mean(d_fake)
    penalty, norm = gradient_penalty(critic, real, fake, mix)
    loss = -wasserstein + penalty_weight * penalty
    metrics = {
        "critic_loss": loss,
        "wasserstein": wasserstein,
        "gradient_penalty": penalty,
        "gradient_norm": norm,
    }
    return loss, metrics


def generator_loss(critic: Critic, fake: Float[AnyArray, "B ..."]) -> Float[Array, ""]:
    """L = -E[D(fake)].

    Example:
        >>> float(generator_loss(lambda images: 2 * images[:, 0], jnp.array([[1.0], [3.0]])))
        -4.0
    """
    return -jnp.mean(critic(fake))
