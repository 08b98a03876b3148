"""The random inputs of one update; B images."""

from typing import NamedTuple

from jax import Array
from jaxtyping import Float, Int, Key

from gcgan_jax.gan.instance_noise import InstanceNoise
from gcgan_jax.gan.networks import GAN
from gcgan_jax.gan.rng import (
    Latents,
    critic_keys,
    draw_latents,
    loss_keys,
    noise_keys,
)


class Batch(NamedTuple):
    """The inputs of one update: B images in [-1, 1], with latents and keys for each."""

    real: Float[Array, "B H W F"]
    latents: Latents
    loss_keys: Key[Array, "B"]
    critic_keys: Key[Array, "B"]
    noise_keys: Key[Array, "B"]

    def as_seen(
        self, fake: Float[Array, "B H W F"], noise: InstanceNoise | None, iteration: Int[Array, ""]
    ) -> tuple[Float[Array, "B H W F"], Float[Array, "B H W F"]]:
        """Return real and generated images as the critic sees them."""
        if noise is None:
            return self.real, fake
        return noise(self.real, fake, self.noise_keys, iteration)


def draw_batch(
    gan: GAN,
    key: Key[Array, ""],
    real: Float[Array, "B pixels"],
    indices: Int[Array, "B"],
) -> Batch:
    """Draw what an update needs beside its real images, which are flat and in [-1, 1]."""
    return Batch(
        real=real.reshape(-1, *gan.image_shape),
        latents=draw_latents(key, indices, gan.latent_size),
        loss_keys=loss_keys(key, indices),
        critic_keys=critic_keys(key, indices),
        noise_keys=noise_keys(key, indices),
    )
