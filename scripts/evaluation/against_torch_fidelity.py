"""Compares Inception, its resize and all scores with torch-fidelity, and the speed of both.

    python -m scripts.evaluation.against_torch_fidelity --record=tests/evaluation

needs the extra `fidelity`. Weights are random, so that nothing is downloaded. With --record, what
torch-fidelity gives is written for the tests, which then need no torch.
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
from torch_fidelity import feature_extractor_inceptionv3 as theirs
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
    parser.add_argument("--record", type=Path, help="directory to write their figures to")
    parser.add_argument("--images", type=int, default=128, help="of the timing; 0: none")
    parser.add_argument("--batch_size", type=int, default=32)
    arguments = parser.parse_args(argv)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "weights.pth")
        torch.save(random_state(), path)
        network = theirs.FeatureExtractorInceptionV3("theirs", FEATURES, str(path))
        variables = from_torch(read_torch(path))
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
    """Seeded weights in the shapes of their network."""
    load = theirs.FeatureExtractorInceptionV3.load_state_dict
    theirs.FeatureExtractorInceptionV3.load_state_dict = lambda *_: None
    try:
        with tempfile.NamedTemporaryFile() as file:
            torch.save({}, file.name)
            empty = theirs.FeatureExtractorInceptionV3("shapes", FEATURES, file.name)
    finally:
        theirs.FeatureExtractorInceptionV3.load_state_dict = load
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
        tell(f"resize of {size}", np.asarray(resize(images)), expected)
        with torch.no_grad():
            features, logits = (value.numpy() for value in network(channels_first))
        ours = jax.jit(Inception().apply)(variables, images)
        tell(f"features of {size}", ours[0], features)
        tell(f"logits of {size}", ours[1], logits)
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
    ours = {
        "score": inception_score(logits, splits=10),
        "fid": [frechet_distance(gaussian(generated), gaussian(real))],
        "kid": kernel_distance(generated, real, subsets=20, subset_size=100, seed=2020),
        "precision_recall": precision_recall(generated, real, neighbours=3),
    }
    for name, values in expected.items():
        tell(name, np.array(ours[name]), np.array(values))
    return {name: np.array(values) for name, values in expected.items()}


def compare_speed(network: torch.nn.Module, variables: dict, count: int, batch_size: int) -> None:
    """Both look at the same 32x32 images in turns; the second look of each is told."""
    images = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3)).astype(np.uint8)
    ours = Network("inception", "", None, variables, Inception().apply)
    extract = make_extractor(ours, jax.local_devices())

    def look_ours() -> None:
        extract(in_batches(images, batch_size, jax.local_device_count()), count)

    def look_theirs() -> None:
        with torch.no_grad():
            for start in range(0, count, batch_size):
                network(torch.tensor(images[start : start + batch_size]).permute(0, 3, 1, 2))

    for name, look in 2 * [("ours", look_ours), ("theirs", look_theirs)]:
        began = time.perf_counter()
        look()
        rate = count / (time.perf_counter() - began)
        print(f"{name}: {rate:.2f} images/s", flush=True)


def save_small(folder: Path) -> None:
    """A state dict with views and several types, in both layouts of torch.save."""
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


def tell(what: str, ours: np.ndarray, expected: np.ndarray) -> None:
    ours = np.asarray(ours)
    print(f"{what}: {abs(ours - expected).max() / abs(expected).max():.1e}", flush=True)


if __name__ == "__main__":
    main()
