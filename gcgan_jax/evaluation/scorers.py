"""From images to scores by name: through a network, or by the structure of procedural images."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from gcgan_jax.data.twins import Twins, structure
from gcgan_jax.evaluation.features import Features
from gcgan_jax.evaluation.metrics import (
    frechet_distance,
    gaussian,
    inception_score,
    kernel_distance,
    precision_recall,
)
from gcgan_jax.evaluation.networks import Network
from gcgan_jax.evaluation.protocol import Protocol
from gcgan_jax.evaluation.reference_statistics import Reference
from gcgan_jax.evaluation.results import Value
from gcgan_jax.gan.sampler import Batch, first
from gcgan_jax.runtime.progress import image_progress

SUBSET_SEED = 2020  # of KID, that of torch-fidelity


@dataclass(frozen=True)
class Scorer:
    """`score(batches)` takes uint8 [devices, images of each, H, W, 3] and gives scores by name.

    It gives None if there are fewer images than the protocol has samples.
    """

    network: str
    weights: str  # SHA-256; "" without a network
    best: str  # the score, lower being better, by which the best checkpoint is chosen
    side: int | None  # of the only images it takes; None: of any
    score: Callable[[Iterable[Batch]], dict[str, Value] | None]


def make_structure_scorer(twins: Twins, real: np.ndarray, protocol: Protocol) -> Scorer:
    """Structure of the images, and its sum of absolute differences from that of real ones."""
    wanted = structure(real, twins)
    n = protocol.samples

    def score(batches: Iterable[Batch]) -> dict[str, Value] | None:
        images = [*first(image_progress(batches, n), n)]
        if sum(map(len, images)) < n:
            return None
        found = structure(np.concatenate(images), twins)
        error = sum(abs(found[name] - wanted[name]) for name in wanted)
        return {name: Value(value) for name, value in {**found, "structure_error": error}.items()}

    return Scorer("structure", "", "structure_error", twins.image_size, score)


def make_network_scorer(
    network: Network,
    extract: Callable[[Iterable[Batch], int], Features],
    reference: Reference,
    protocol: Protocol,
) -> Scorer:
    """Scores of the features that the network extracts, against those of real images."""

    def score(batches: Iterable[Batch]) -> dict[str, Value] | None:
        seen = extract(batches, protocol.samples)
        if len(seen.features) < protocol.samples:
            return None
        found = compare(seen, reference, protocol)
        return {_named(network.name, name): value for name, value in found.items()}

    return Scorer(network.name, network.digest, _named(network.name, "fid"), network.side, score)


def _named(network: str, score: str) -> str:
    """Only Inception's scores go by the names that people compare."""
    if network == "inception":
        return "inception_score" if score == "score" else score
    return f"{network}_{score}"


def compare(seen: Features, reference: Reference, protocol: Protocol) -> dict[str, Value]:
    """All scores of samples against real images."""
    n = protocol.most_neighbours_of
    precision, recall = precision_recall(
        seen.features[:n], reference.features[:n], protocol.neighbours
    )
    return {
        "score": Value(*inception_score(seen.logits, protocol.splits)),
        "fid": Value(frechet_distance(gaussian(seen.features), reference.gaussian)),
        "kid": Value(
            *kernel_distance(
                seen.features,
                reference.features,
                subsets=protocol.subsets,
                subset_size=protocol.subset_size,
                seed=SUBSET_SEED,
            )
        ),
        "precision": Value(precision),
        "recall": Value(recall),
    }
