"""Compare Inception, its resize, all scores and the speed with torch-fidelity.

    python -m scripts.evaluation.against_torch_fidelity --record=tests/evaluation

Needs the extra `fidelity`. Weights are random, so that nothing is downloaded. --record writes
torch-fidelity's results for the tests, which then need no torch.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import jax
import numpy as np
import torch
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric

from gcgan_jax.evaluation.features import in_batches, make_extractor
from gcgan_jax.evaluation.metrics import (
    frechet_distance,
    gaussian,
    inception_score,
    kernel_distance,
    precision_recall,
)
from gcgan_jax.evaluation.networks import Network
from gcgan_jax.evaluation.networks.inception import Inception, from_torch, resize
from gcgan_jax.evaluation.networks.torch_file import read_torch
from scripts.evaluation import seeded

FEATURES = ["2048", "logits_unbiased"]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", type=Path, help="output directory for torch-fidelity's results")
    parser.add_argument("--images", type=int, default=128, help="images to time; 0: no timing")
    parser.add_argument("--batch_size", type=int, default=32, help="images per batch")
    arguments = parser.parse_args(argv)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "weights.pth")
        torch.save(random_state(), path)
        network = FeatureExtractorInceptionV3("reference", FEATURES, str(path))
        variables = from_torch(read_torch(path.read_bytes(), path.name))
    recorded = compare_network(network, variables) | compare_scores()
    if arguments.record:
        recorded |= {
            f"shape/{name}": np.array(value.shape, np.int64)
            for name, value in network.state_dict().items()
        }
        np.savez_compressed(arguments.record / "torch_fidelity.npz", **recorded)
        save_small(arguments.record)
    if arguments.images:
        compare_speed(network, variables, arguments.images, arguments.batch_size)


def random_state() -> dict[str, torch.Tensor]:
    """Return seeded weights in the shapes of torch-fidelity's network."""
    load = FeatureExtractorInceptionV3.load_state_dict
    FeatureExtractorInceptionV3.load_state_dict = lambda *_: None
    try:
        with tempfile.NamedTemporaryFile() as file:
            torch.save({}, file.name)
            empty = FeatureExtractorInceptionV3("shapes", FEATURES, file.name)
    finally:
        FeatureExtractorInceptionV3.load_state_dict = load
    shapes = {name: tuple(value.shape) for name, value in empty.state_dict().items()}
    return {name: torch.tensor(value) for name, value in seeded.weights(shapes).items()}


def compare_network(network: torch.nn.Module, variables: dict) -> dict[str, np.ndarray]:
    recorded = {}
    for size in seeded.SIZES:
        images = seeded.images(size)
        channels_first = torch.tensor(images).permute(0, 3, 1, 2)
        resized = interpolate_bilinear_2d_like_tensorflow1x(
            channels_first.float(), size=(299, 299), align_corners=False
        )
        expected = resized.permute(0, 2, 3, 1).numpy()
        report(f"resize of {size}", np.asarray(resize(images)), expected)
        with torch.no_grad():
            features, logits = (value.numpy() for value in network(channels_first))
        actual = jax.jit(Inception().apply)(variables, images)
        report(f"features of {size}", actual[0], features)
        report(f"logits of {size}", actual[1], logits)
        name = "x".join(map(str, size))
        recorded |= {f"features/{name}": features, f"logits/{name}": logits}
        recorded[f"resized/{name}"] = expected[:, ::13, ::17]
    return recorded


def compare_scores() -> dict[str, np.ndarray]:
    generated, real, logits = seeded.samples()
    a, b = torch.tensor(generated), torch.tensor(real)
    isc = isc_features_to_metric(torch.tensor(logits), splits=10, shuffle=False)
    statistics = (fid_features_to_statistics(features) for features in (a, b))
    fid = fid_statistics_to_metric(*statistics, verbose=False)
    kid = kid_features_to_metric(a, b, kid_subsets=20, kid_subset_size=100, verbose=False)
    prc = prc_features_to_metric(a, b, prc_neighborhood=3, verbose=False)
    expected = {
        "score": [isc["inception_score_mean"], isc["inception_score_std"]],
        "fid": [fid["frechet_inception_distance"]],
        "kid": [kid["kernel_inception_distance_mean"], kid["kernel_inception_distance_std"]],
        "precision_recall": [prc["precision"], prc["recall"]],
    }
    actual = {
        "score": inception_score(logits, splits=10),
        "fid": [frechet_distance(gaussian(generated), gaussian(real))],
        "kid": kernel_distance(generated, real, subsets=20, subset_size=100, seed=2020),
        "precision_recall": precision_recall(generated, real, neighbours=3),
    }
    for name, values in expected.items():
        report(name, np.array(actual[name]), np.array(values))
    return {name: np.array(values) for name, values in expected.items()}


def compare_speed(network: torch.nn.Module, variables: dict, count: int, batch_size: int) -> None:
    """Print how fast both networks process the same 32x32 images, interleaved.

    Each is timed twice; the first time includes compilation.
    """
    images = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3)).astype(np.uint8)
    inception = Network("inception", "", None, variables, Inception().apply)
    extract = make_extractor(inception, jax.local_devices())

    def run_jax() -> None:
        extract(in_batches(images, batch_size, jax.local_device_count()), count)

    def run_pytorch() -> None:
        with torch.no_grad():
            for start in range(0, count, batch_size):
                network(torch.tensor(images[start : start + batch_size]).permute(0, 3, 1, 2))

    for name, run in 2 * [("jax", run_jax), ("torch-fidelity", run_pytorch)]:
        start = time.perf_counter()
        run()
        rate = count / (time.perf_counter() - start)
        print(f"{name}: {rate:.2f} images/s", flush=True)


def save_small(folder: Path) -> None:
    """Save a state dict with views and several dtypes, in both formats of torch.save."""
    values = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    state = torch.nn.Linear(3, 2).state_dict()  # ordered, with metadata
    state |= {
        "whole": values,
        "transposed": values.T,
        "part": values[1:3, 2:],
        "half": values.half(),
        "double": values.double(),
        "count": torch.tensor(7),
        "empty": torch.zeros(0, 3),
        "parameter": torch.nn.Parameter(values + 1),
        "flags": torch.tensor([True, False]),
    }
    save = partial(torch.save, state)
    save(folder / "zip.pth")
    save(folder / "legacy.pth", _use_new_zipfile_serialization=False)


def report(name: str, actual: np.ndarray, expected: np.ndarray) -> None:
    """Print the largest difference, relative to the largest expected value."""
    actual = np.asarray(actual)
    print(f"{name}: {abs(actual - expected).max() / abs(expected).max():.1e}", flush=True)


if __name__ == "__main__":
    main()
