"""Noise on the images that the critic sees; B images, H rows, W columns, F channels."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jaxtyping import Float, Int, Key


@dataclass(frozen=True)
class InstanceNoise:
    """x + epsilon and G(z) + epsilon', with independent epsilon, epsilon' ~ N(0, sigma(t)^2 I).

    Thesis eq. 2.13; Arjovsky & Bottou 2017, arXiv:1701.04862. With it, both distributions have
    densities everywhere, so that no critic separates them perfectly.

    Attributes:
        sigma: standard deviation in the first iteration, for pixels in [-1, 1].
        decay_iterations: generator iterations over which it decays linearly to 0.
    """

    sigma: float
    decay_iterations: int

    def standard_deviation(self, iteration: Int[Array, ""]) -> Float[Array, ""]:
        """Return sigma(t) = sigma x (1 - t / decay_iterations), and 0 from decay_iterations on."""
        schedule = optax.linear_schedule(self.sigma, 0.0, self.decay_iterations)
        return jnp.asarray(schedule(iteration))

    def __call__(
        self,
        real: Float[Array, "B H W F"],
        fake: Float[Array, "B H W F"],
        keys: Key[Array, "B"],
        iteration: Int[Array, ""],
    ) -> tuple[Float[Array, "B H W F"], Float[Array, "B H W F"]]:
        """Add noise to real and generated images."""
        shape = (2, *real.shape[1:])
        noise = jax.vmap(lambda key: jax.random.normal(key, shape, float))(keys)
        noise = self.standard_deviation(iteration) * noise
        return real + noise[:, 0], fake + noise[:, 1]
