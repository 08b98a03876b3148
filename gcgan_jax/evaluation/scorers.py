"""From images to scores by name: through a network, or by the structure of procedural images."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from gcgan_jax.config import Config
from gcgan_jax.data import twins_of
from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.features import Features, in_batches, make_extractor
from gcgan_jax.evaluation.networks import load_network
from gcgan_jax.evaluation.protocol import Protocol, Value
from gcgan_jax.evaluation.reference import Reference, load_reference
from gcgan_jax.evaluation.scores import (
    frechet_distance,
    gaussian,
    inception_score,
    kernel_distance,
    precision_recall,
)
from gcgan_jax.generate import Batch, first, told
from gcgan_jax.twins import structure

SUBSET_SEED = 2020  # of KID, that of torch-fidelity


class Scorer(NamedTuple):
    """`score(batches)` takes uint8 [devices, images of each, H, W, 3] and gives scores by name."""

    network: str
    weights: str  # SHA-256; "" without a network
    best: str  # the score, lower being better, by which the best checkpoint is chosen
    side: int | None  # of the only images it takes; None: of any
    score: Callable[[Iterable[Batch]], dict[str, Value]]


def make_scorer(
    config: Config,
    real: np.ndarray,
    digest: str,
    protocol: Protocol,
    devices: Sequence[jax.Device],
) -> Scorer:
    """The scorer that config.eval.network names.

    Args:
        real: uint8 [n, H, W, 3], which samples are compared with.
        digest: theirs, see `digest_of`.

    Raises:
        UserError: no weights, or images that the network or the protocol cannot take.
    """
    if config.eval.network == "structure":
        return _structure_scorer(config, real, protocol)
    return _network_scorer(config, real, digest, protocol, devices)


def _structure_scorer(config: Config, real: np.ndarray, protocol: Protocol) -> Scorer:
    """Structure of the images, and its sum of absolute differences from that of real ones."""
    spec = twins_of(config)
    wanted = structure(real, spec)

    def score(batches: Iterable[Batch]) -> dict[str, Value]:
        n = protocol.samples
        found = structure(np.concatenate([*first(told(batches, n), n)]), spec)
        error = sum(abs(found[name] - wanted[name]) for name in wanted)
        return {name: Value(value) for name, value in {**found, "structure_error": error}.items()}

    return Scorer("structure", "", "structure_error", spec.image_size, score)


def _network_scorer(
    config: Config,
    real: np.ndarray,
    digest: str,
    protocol: Protocol,
    devices: Sequence[jax.Device],
) -> Scorer:
    if len(real) < protocol.subset_size:
        raise UserError(
            f"config.eval.split = {config.eval.split!r} of {config.data.name} has {len(real)} "
            f"images, but config.eval.protocol = {protocol.name!r} compares subsets of "
            f"{protocol.subset_size}"
        )
    cache = Path(config.eval.cache).expanduser()
    network = load_network(config.eval.network, config.eval.inception_weights, cache)
    side = real.shape[1]
    if network.side not in (None, side):
        raise UserError(
            f"config.eval.network = {network.name!r} takes images of {network.side}x{network.side} "
            f"pixels, these have {side}: choose 'inception'"
        )
    extract = make_extractor(network, devices)
    batches = in_batches(real, config.eval.batch_size, len(devices))
    reference = load_reference(real, digest, network, cache, extract, batches)

    def score(batches: Iterable[Batch]) -> dict[str, Value]:
        found = compare(extract(batches, protocol.samples), reference, protocol)
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
