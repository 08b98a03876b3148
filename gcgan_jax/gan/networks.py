"""Generator and critic as one object, and their forward passes."""

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
        generator, critic: those of a backbone, see `models.gcgan` for one.
        image_shape: (H, W, F).
        matmul_precision: precision of matmuls and convolutions, a value that
            `jax.default_matmul_precision` accepts.
    """

    generator: nn.Module
    critic: nn.Module
    latent_size: int
    image_shape: tuple[int, int, int]
    matmul_precision: str

    def generate(
        self, variables: VariableDict, latents: Latents, axis_name: str | None = None
    ) -> tuple[Float[Array, "B H W F"], VariableDict]:
        """Generate images in [-1, 1] with batch statistics, and update the running statistics.

        Args:
            axis_name: mapped axis over which the batch is split; None: it is not.
        """
        images, updated = self.generator.apply(
            variables, *latents, train=True, axis_name=axis_name, mutable=["batch_stats"]
        )
        return images, updated.get("batch_stats", {})

    def apply_critic(
        self,
        variables: VariableDict,
        images: Float[AnyArray, "n H W F"],
        keys: Key[Array, "B"],
        axis_name: str | None = None,
    ) -> Float[Array, "n"]:
        """Apply the critic to n images, a multiple of B, with the statistics of this batch.

        Image i uses key i mod B.
        """
        return self._train_critic(variables, images, keys, axis_name)[0]

    def critic_statistics(
        self,
        variables: VariableDict,
        images: Float[AnyArray, "n H W F"],
        keys: Key[Array, "B"],
        axis_name: str | None = None,
    ) -> VariableDict:
        """Return the critic's running statistics after it has seen a batch."""
        return self._train_critic(variables, images, keys, axis_name)[1]

    def _train_critic(
        self,
        variables: VariableDict,
        images: Float[AnyArray, "n H W F"],
        keys: Key[Array, "B"],
        axis_name: str | None,
    ) -> tuple[Float[Array, "n"], VariableDict]:
        keys = jnp.tile(keys, len(images) // len(keys))
        scores, updated = self.critic.apply(
            variables, images, keys, train=True, axis_name=axis_name, mutable=["batch_stats"]
        )
        return cast(Array, scores), updated.get("batch_stats", {})

    def sample(
        self,
        variables: VariableDict,
        latents: Latents,
        batch_norm: str = "running",
        axis_name: str | None = None,
    ) -> UInt8[Array, "B H W F"]:
        """Generate images as they are stored, see `data.pixels.unscale`.

        Batch normalisation uses the "running" averages in `variables`, or the statistics of the
        "batch".
        """
        if batch_norm == "batch":
            images, _ = self.generate(variables, latents, axis_name)
        else:
            images = cast(Array, self.generator.apply(variables, *latents, train=False))
        return unscale(images)
