"""Scorers: compute named scores of images, from a network's features or their structure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from gcgan_jax.data.cells import participation_ratio
from gcgan_jax.data.images import Structured
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

SUBSET_SEED = 2020  # seed of KID's subsets, as in torch-fidelity
MEASURES = "diverse"  # tells structure errors from those of older versions, without diversity


@dataclass(frozen=True)
class Scorer:
    """A way to score images.

    Attributes:
        network: name of the network, or "structure".
        weights: SHA-256 of the network's weights; for the structure, what its error consists of.
        best: name of the score that selects the best checkpoint; lower is better.
        side: required side of the images; None: any.
        score: maps batches, uint8 [devices, images per device, H, W, F], to scores by name, or to
            None if there are fewer images than the protocol requires.
    """

    network: str
    weights: str
    best: str
    side: int | None
    score: Callable[[Iterable[Batch]], dict[str, Value] | None]


def make_structure_scorer(data: Structured, real: np.ndarray, protocol: Protocol) -> Scorer:
    """Make a scorer of the images' structure and diversity, and of their distance from real ones.

    The error includes the diversity: a generator that repeats one image has an error of 1 or more.
    """
    n = protocol.samples

    def measure(images: np.ndarray) -> dict[str, float]:
        measured = diversity(images[: protocol.diversity_samples])
        return {**data.structure(images), "diversity": measured}

    expected = measure(real[:n])

    def score(batches: Iterable[Batch]) -> dict[str, Value] | None:
        images = [*first(image_progress(batches, n), n)]
        if sum(map(len, images)) < n:
            return None
        actual = measure(np.concatenate(images))
        error = structure_error(actual, expected)
        return {name: Value(value) for name, value in {**actual, "structure_error": error}.items()}

    return Scorer("structure", MEASURES, "structure_error", real.shape[1], score)


def structure_error(actual: Mapping[str, float], expected: Mapping[str, float]) -> float:
    """Compute sum_s |s - s_real| / max(1, |s|, |s_real|) over the expected measures s_real.

    These are differences of small values, and relative ones of large values.
    """
    pairs = [(actual[name], value) for name, value in expected.items()]
    return sum(abs(s - real) / max(1, abs(s), abs(real)) for s, real in pairs)


def diversity(images: np.ndarray) -> float:
    """Return the participation ratio of images, uint8 [n, H, W, F]; 0 if all are the same."""
    return participation_ratio(images.reshape(len(images), 1, -1).astype(np.float32) / 127.5 - 1)


def make_network_scorer(
    network: Network,
    extract: Callable[[Iterable[Batch], int], Features],
    reference: Reference,
    protocol: Protocol,
) -> Scorer:
    """Make a scorer that compares the network's features of images with those of real images."""

    def score(batches: Iterable[Batch]) -> dict[str, Value] | None:
        samples = extract(batches, protocol.samples)
        if len(samples.features) < protocol.samples:
            return None
        scores = compare(samples, reference, protocol)
        return {_full_name(network.name, name): value for name, value in scores.items()}

    best = _full_name(network.name, "fid")
    return Scorer(network.name, network.digest, best, network.side, score)


def _full_name(network: str, score: str) -> str:
    """Return the name of a score; only Inception's get the established names, such as "fid"."""
    if network == "inception":
        return "inception_score" if score == "score" else score
    return f"{network}_{score}"


def compare(samples: Features, reference: Reference, protocol: Protocol) -> dict[str, Value]:
    """Compute all scores of samples against real images."""
    n = protocol.manifold_samples
    precision, recall = precision_recall(
        samples.features[:n], reference.features[:n], protocol.neighbours
    )
    return {
        "score": Value(*inception_score(samples.logits, protocol.splits)),
        "fid": Value(frechet_distance(gaussian(samples.features), reference.gaussian)),
        "kid": Value(
            *kernel_distance(
                samples.features,
                reference.features,
                subsets=protocol.subsets,
                subset_size=protocol.subset_size,
                seed=SUBSET_SEED,
            )
        ),
        "precision": Value(precision),
        "recall": Value(recall),
    }
