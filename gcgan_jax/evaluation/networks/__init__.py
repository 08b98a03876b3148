"""The pretrained networks from whose features scores are computed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import flax.linen as nn
import jax.numpy as jnp
from flax.typing import VariableDict
from jax import Array

from gcgan_jax.evaluation.cache import Cache
from gcgan_jax.evaluation.networks.classifier import SIDE, Classifier
from gcgan_jax.evaluation.networks.inception import Inception
from gcgan_jax.evaluation.networks.weights import load_classifier, load_inception


@dataclass(frozen=True)
class Network:
    """A pretrained network.

    Attributes:
        digest: SHA-256 of the file of weights.
        side: required side of the images; None: any.
        apply: apply(variables, images) -> features [B, F] and logits [B, C]. Images are uint8
            [B, H, W, 3], or [B, H, W, 1] of greys, which are repeated in three channels.
    """

    name: str
    digest: str
    side: int | None
    variables: VariableDict
    apply: Callable[[VariableDict, Array], tuple[Array, Array]]


def load_network(name: str, inception_weights: str | None, cache: Cache) -> Network:
    """Load the network "classifier", bundled with this package, or "inception".

    Args:
        inception_weights: see `load_inception`.
        cache: see `load_inception`.

    Raises:
        UserError: Inception's weights are not available.
    """
    if name == "classifier":
        variables, digest = load_classifier()
        return Network(name, digest, SIDE, variables, _apply(Classifier()))
    variables, digest = load_inception(inception_weights, cache)
    return Network(name, digest, None, variables, _apply(Inception()))


def _apply(network: nn.Module) -> Callable[[VariableDict, Array], tuple[Array, Array]]:
    def apply(variables: VariableDict, images: Array) -> tuple[Array, Array]:
        rgb = jnp.repeat(images, 3, axis=-1) if images.shape[-1] == 1 else images
        return cast(tuple[Array, Array], network.apply(variables, rgb))

    return apply
