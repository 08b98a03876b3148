"""The loss of R3GAN: relativistic pairing with two zero-centred gradient penalties; B images.

Huang et al. 2024, arXiv:2501.05441, section 2.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import jax
import jax.numpy as jnp

from gcgan_jax.gan.losses.loss import Images, Iteration, Keys, Metrics, Scalar
from gcgan_jax.gan.penalties import Critic, squared_gradient_norms
from gcgan_jax.ranges import Interval


@dataclass(frozen=True)
class R3GAN:
    """Relativistic pairing with R1 and R2; image i of `fake` is paired with image i of `real`.

        critic     E[softplus(D(fake) - D(real))] + gamma / 2 (R1 + R2)
        generator  E[softplus(D(real) - D(fake))]
        R1 = E[||grad D(real)||_2^2]    R2 = E[||grad D(fake)||_2^2]

    Attributes:
        penalty_weight: gamma. The authors' code starts with 0.05 on CIFAR-10 and lets it decay.

    Example:
        >>> critic = lambda images: images.sum((1, 2, 3)) / 2
        >>> real, fake = jnp.ones((2, 2, 2, 1)), jnp.zeros((2, 2, 2, 1))  # D = 2 and 0
        >>> keys, iteration = jax.random.split(jax.random.key(0), 2), jnp.array(0)
        >>> loss, metrics = R3GAN(0.05).critic_loss(critic, real, fake, keys, iteration)
        >>> round(float(loss), 4), float(metrics["r1"])  # softplus(-2) + 0.05
        (0.1769, 1.0)
    """

    per_sample_penalty: ClassVar[bool] = True

    penalty_weight: Annotated[float, Interval(0, 1e6)] = 0.05

    def critic_loss(
        self, critic: Critic, real: Images, fake: Images, keys: Keys, iteration: Iteration
    ) -> tuple[Scalar, Metrics]:
        """Return the loss; metrics are the loss and its parts, and the means of D."""
        both = jnp.concatenate([real, fake])
        d_real, d_fake = jnp.split(critic(both), 2)
        r1, r2 = map(jnp.mean, jnp.split(squared_gradient_norms(critic, both), 2))
        pairing = jnp.mean(jax.nn.softplus(d_fake - d_real))
        loss = pairing + self.penalty_weight / 2 * (r1 + r2)
        return loss, {
            "critic_loss": loss,
            "d_real": jnp.mean(d_real),
            "d_fake": jnp.mean(d_fake),
            "r1": r1,
            "r2": r2,
        }

    def generator_loss(
        self, critic: Critic, real: Images, fake: Images, keys: Keys, iteration: Iteration
    ) -> Scalar:
        d_real, d_fake = jnp.split(critic(jnp.concatenate([real, fake])), 2)
        return jnp.mean(jax.nn.softplus(d_real - d_fake))

    def project(self, critic_params: Any) -> Any:
        return critic_params
