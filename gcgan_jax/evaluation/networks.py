"""The networks that scores are made with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from jax import Array

from gcgan_jax.evaluation.classifier import SIDE, Classifier
from gcgan_jax.evaluation.inception import Inception
from gcgan_jax.evaluation.weights import load_classifier, load_inception

Tree = Any


class Network(NamedTuple):
    """`apply(variables, images)`: uint8 [B, H, W, 3] -> features [B, F] and logits [B, C]."""

    name: str
    digest: str  # SHA-256 of the weights' file
    side: int | None  # of the only images it takes; None: of any
    variables: Tree
    apply: Callable[[Tree, Array], tuple[Array, Array]]


def load_network(name: str, inception_weights: str, cache: Path) -> Network:
    """The network "classifier", of this package, or "inception", of published weights.

    Raises:
        UserError: there are no such weights.
    """
    if name == "classifier":
        variables, digest = load_classifier()
        return Network(name, digest, SIDE, variables, Classifier().apply)
    variables, digest = load_inception(inception_weights, cache)
    return Network(name, digest, None, variables, Inception().apply)
