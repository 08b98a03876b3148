"""Normalisation of a critic's layers; B images, H rows, W columns, F features."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import flax.linen as nn
from jax import Array
from jaxtyping import Float

from gcgan_jax.layers.spectral_norm import SpectralNorm
from gcgan_jax.layers.statistics import BatchStatistics

NAMES = ("none", "layer", "spectral", "batch")


@dataclass(frozen=True)
class Normalisation:
    """What a critic normalises: its features, its weights, or nothing.

        layer     x -> (x - mean) / sqrt(variance + epsilon) * scale + bias, over H, W and F of each
                  image; Ba et al. 2016, arXiv:1607.06450; thesis 2.5.1
        batch     likewise, over B, H and W; Ioffe & Szegedy 2015, arXiv:1502.03167
        spectral  W -> W / sigma, with the largest singular value sigma of each weight W, see
                  `SpectralNorm`; it follows from the weights alone, so that all devices agree on it

    Attributes:
        name: one of NAMES.
        statistics: epsilon and dtype of features, momentum of running averages, and whether the
            network is being trained, so that they and u are to be stored.

    Example:
        >>> critic = Critic(widths=(4, 4, 4), slope=0.2, norm=Normalisation("layer"))
        >>> images = jnp.ones((1, 16, 16, 3))
        >>> sorted(jax.eval_shape(critic.init, jax.random.key(0), images)["params"])
        ['conv1', 'conv2', 'conv2_norm', 'conv3', 'conv3_norm', 'dense']
    """

    name: str = "none"
    statistics: BatchStatistics = field(default=BatchStatistics(momentum=0.9, epsilon=1e-5))

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise ValueError(f"unknown normalisation {self.name!r}: choose one of {NAMES}")

    def in_mode(self, *, train: bool, axis_name: str | None) -> "Normalisation":
        """Return this normalisation for training or for evaluation."""
        return replace(self, statistics=self.statistics.in_mode(train=train, axis_name=axis_name))

    def features(self, x: Float[Array, "B H W F"], name: str) -> Float[Array, "B H W F"]:
        """Normalise the features that a layer `name` returned."""
        if self.name == "batch":
            return self.statistics.norm(f"{name}_norm")(x)
        if self.name == "layer":
            norm = nn.LayerNorm(
                epsilon=self.statistics.epsilon,
                dtype=self.statistics.dtype,
                param_dtype=float,
                reduction_axes=(1, 2, 3),
                feature_axes=-1,
                name=f"{name}_norm",
            )
            return norm(x)
        return x

    def weights(self, layer: nn.Module) -> Callable[..., Array]:
        """Return a named layer with all of its weights normalised."""
        if self.name != "spectral":
            return layer
        training = not self.statistics.use_running_average
        return SpectralNorm(layer, training, name=f"{layer.name}_norm")
