"""Both networks in one record, and what they compute of given variables."""

from dataclasses import dataclass
from typing import cast

import flax.linen as nn
import jax.numpy as jnp
from flax.typing import VariableDict
from jax import Array
from jaxtyping import Float, Key, UInt8

from gcgan_jax.arrays import AnyArray
from gcgan_jax.data.pixels import unscale
from gcgan_jax.gan.rng import Latents


@dataclass(frozen=True)
class GAN:
    """Generator and critic; B images, H rows, W columns, F channels.

    Attributes:
        generator: see `models.generator.Generator`.
        critic: see `models.critic.Critic`.
        image_shape: (H, W, F).
        matmul_precision: of products and convolutions, as `jax.default_matmul_precision` has it.
    """

    generator: nn.Module
    critic: nn.Module
    latent_size: int
    image_shape: tuple[int, int, int]
    matmul_precision: str

    def generate(
        self, variables: VariableDict, latents: Latents, axis_name: str | None = None
    ) -> tuple[Float[Array, "B H W F"], VariableDict]:
        """Images in [-1, 1], normalised by the batch, and the running statistics after it.

        Args:
            axis_name: over which the batch is spread, if it is.
        """
        images, moved = self.generator.apply(
            variables, *latents, train=True, axis_name=axis_name, mutable=["batch_stats"]
        )
        return images, moved.get("batch_stats", {})

    def criticise(
        self,
        variables: VariableDict,
        images: Float[AnyArray, "n H W F"],
        keys: Key[Array, "B"],
    ) -> Float[Array, "n"]:
        """The critic's values of n images, a multiple of B: image i draws from key i mod B."""
        keys = jnp.tile(keys, len(images) // len(keys))
        return cast(Array, self.critic.apply(variables, images, keys))

    def sample(
        self,
        variables: VariableDict,
        latents: Latents,
        batch_norm: str = "running",
        axis_name: str | None = None,
    ) -> UInt8[Array, "B H W F"]:
        """Images as they are stored, see `draws.scale`.

        They are normalised by the running averages in `variables`, or by the statistics of the
        "batch".
        """
        if batch_norm == "batch":
            images, _ = self.generate(variables, latents, axis_name)
        else:
            images = cast(Array, self.generator.apply(variables, *latents, train=False))
        return unscale(images)
