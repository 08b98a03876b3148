"""Losses that are means of functions of D(real) and of D(fake); B images.

The critic sees real and generated images as batches of their own, as in DCGAN (Radford et al. 2016,
arXiv:1511.06434), so that batch normalisation treats generated images alike in both updates.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from gcgan_jax.gan.losses.loss import Images, Iteration, Keys, Metrics, Scalar
from gcgan_jax.gan.penalties import Critic
from gcgan_jax.ranges import Interval

Scores = Float[Array, "B"]


@dataclass(frozen=True)
class Separable(ABC):
    """Critic: E[on_real(D(real))] + E[on_fake(D(fake))]; generator: E[of_generator(D(fake))]."""

    per_sample_penalty: ClassVar[bool] = False

    @abstractmethod
    def on_real(self, d: Scores) -> Scores: ...

    @abstractmethod
    def on_fake(self, d: Scores) -> Scores: ...

    @abstractmethod
    def of_generator(self, d: Scores) -> Scores: ...

    def critic_loss(
        self, critic: Critic, real: Images, fake: Images, keys: Keys, iteration: Iteration
    ) -> tuple[Scalar, Metrics]:
        """Return the loss; metrics are the loss and its inputs, the means of D."""
        d_real, d_fake = critic(real), critic(fake)
        loss = jnp.mean(self.on_real(d_real)) + jnp.mean(self.on_fake(d_fake))
        means = {"d_real": jnp.mean(d_real), "d_fake": jnp.mean(d_fake)}
        return loss, {"critic_loss": loss} | means

    def generator_loss(
        self, critic: Critic, real: Images, fake: Images, keys: Keys, iteration: Iteration
    ) -> Scalar:
        return jnp.mean(self.of_generator(critic(fake)))

    def project(self, critic_params: Any) -> Any:
        return critic_params


@dataclass(frozen=True)
class WGAN(Separable):
    """Critic: E[D(fake)] - E[D(real)], with parameters in [-c, c]; generator: -E[D(fake)].

    Arjovsky et al. 2017, arXiv:1701.07875, Algorithm 1; thesis Algorithm 2.

    Attributes:
        clip: c, to which all parameters are clipped after each update, biases included.

    Example:
        >>> critic = lambda images: images.sum((1, 2, 3)) / 2
        >>> real, fake = jnp.ones((2, 2, 2, 1)), jnp.zeros((2, 2, 2, 1))  # D = 2 and 0
        >>> keys, iteration = jax.random.split(jax.random.key(0), 2), jnp.array(0)
        >>> loss, metrics = WGAN(clip=0.5).critic_loss(critic, real, fake, keys, iteration)
        >>> float(loss)
        -2.0
        >>> WGAN(clip=0.5).project({"w": jnp.array([-3.0, 0.25])})["w"].tolist()
        [-0.5, 0.25]
    """

    clip: Annotated[float, Interval(0, 1e3, open_low=True)] = 0.01

    def on_real(self, d: Scores) -> Scores:
        return -d

    def on_fake(self, d: Scores) -> Scores:
        return d

    def of_generator(self, d: Scores) -> Scores:
        return -d

    def critic_loss(
        self, critic: Critic, real: Images, fake: Images, keys: Keys, iteration: Iteration
    ) -> tuple[Scalar, Metrics]:
        """Return the loss; metrics are the loss, its inputs and `wasserstein`, minus the loss."""
        loss, metrics = super().critic_loss(critic, real, fake, keys, iteration)
        return loss, metrics | {"wasserstein": -loss}

    def project(self, critic_params: Any) -> Any:
        return jax.tree.map(lambda leaf: jnp.clip(leaf, -self.clip, self.clip), critic_params)


@dataclass(frozen=True)
class Minimax(Separable):
    """Critic: -E[log p(real)] - E[log(1 - p(fake))]; generator: E[log(1 - p(fake))].

    p = sigmoid(D) is the probability of being real: -log p = softplus(-D) and
    -log(1 - p) = softplus(D). Goodfellow et al. 2014, arXiv:1406.2661, Algorithm 1; thesis 2.9,
    2.10. The generator's gradient vanishes where the critic is sure of its images.

    Example:
        >>> critic = lambda images: images.sum((1, 2, 3)) / 2
        >>> real, fake = jnp.ones((2, 2, 2, 1)), jnp.zeros((2, 2, 2, 1))  # D = 2 and 0
        >>> keys, iteration = jax.random.split(jax.random.key(0), 2), jnp.array(0)
        >>> loss = Minimax().generator_loss(critic, real, fake, keys, iteration)
        >>> round(float(loss), 4)  # log(1 - 1/2)
        -0.6931
    """

    def on_real(self, d: Scores) -> Scores:
        return jax.nn.softplus(-d)

    def on_fake(self, d: Scores) -> Scores:
        return jax.nn.softplus(d)

    def of_generator(self, d: Scores) -> Scores:
        return -jax.nn.softplus(d)


@dataclass(frozen=True)
class NonSaturating(Minimax):
    """Critic: as for `Minimax`; generator: -E[log p(fake)] = E[softplus(-D(fake))].

    Goodfellow et al. 2014, arXiv:1406.2661, section 3; thesis 2.2.

    Example:
        >>> critic = lambda images: images.sum((1, 2, 3)) / 2
        >>> real, fake = jnp.ones((2, 2, 2, 1)), jnp.zeros((2, 2, 2, 1))  # D = 2 and 0
        >>> keys, iteration = jax.random.split(jax.random.key(0), 2), jnp.array(0)
        >>> loss = NonSaturating().generator_loss(critic, real, fake, keys, iteration)
        >>> round(float(loss), 4)  # -log(1/2)
        0.6931
    """

    def of_generator(self, d: Scores) -> Scores:
        return jax.nn.softplus(-d)


@dataclass(frozen=True)
class Hinge(Separable):
    """Critic: E[max(0, 1 - D(real))] + E[max(0, 1 + D(fake))]; generator: -E[D(fake)].

    Lim & Ye 2017, arXiv:1705.02894; SAGAN, Zhang et al. 2019, arXiv:1805.08318, eq. 4.

    Example:
        >>> critic = lambda images: images.sum((1, 2, 3)) / 2
        >>> real, fake = jnp.ones((2, 2, 2, 1)), jnp.zeros((2, 2, 2, 1))  # D = 2 and 0
        >>> keys, iteration = jax.random.split(jax.random.key(0), 2), jnp.array(0)
        >>> loss, metrics = Hinge().critic_loss(critic, real, fake, keys, iteration)
        >>> float(loss)
        1.0
    """

    def on_real(self, d: Scores) -> Scores:
        return jax.nn.relu(1 - d)

    def on_fake(self, d: Scores) -> Scores:
        return jax.nn.relu(1 + d)

    def of_generator(self, d: Scores) -> Scores:
        return -d
