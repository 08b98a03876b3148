"""Finds the training images nearest to generated ones, to detect memorisation; `--mode=nearest`.

n generated images, m training images, D features of each.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import jax
import numpy as np

from gcgan_jax.commands.trained import load_trained
from gcgan_jax.evaluation.cache import Cache
from gcgan_jax.evaluation.features import in_batches, make_extractor
from gcgan_jax.evaluation.networks import load_network
from gcgan_jax.evaluation.networks.classifier import SIDE
from gcgan_jax.evaluation.reference_statistics import digest_of, load_reference
from gcgan_jax.experiment import Experiment
from gcgan_jax.runtime.console import report
from gcgan_jax.storage.image_files import image_grid, write_png
from gcgan_jax.storage.workdir import pictures

HELD_OUT = 500  # held-out images whose distances are printed for comparison
CHUNK = 5_000  # training images per matmul

Measure = Callable[[np.ndarray], np.ndarray]


def nearest(
    experiment: Experiment,
    workdir: Path,
    devices: Sequence[jax.Device] | None = None,
    out: Path | None = None,
) -> None:
    """Write an image grid to `pictures`, and print distances.

    Each row holds a generated image, the training images nearest by pixels, and those nearest by
    features of the bundled classifier if it accepts images of this size.

    Args:
        devices: devices to compute on; None: all devices of this process.
        out: directory for `pictures`; None: the workdir.

    Raises:
        UserError: the data set cannot be loaded, or as in `load_trained`.
    """
    config, devices = experiment.config, devices or jax.local_devices()
    trained = load_trained(experiment, workdir, devices)
    generated = trained.images(trained.latents(config.show.latents))
    data = experiment.load_images()
    held_out = data.test[:HELD_OUT]
    measures: dict[str, tuple[np.ndarray, Measure]] = {"pixels": (_rows(data.train), _flat)}
    if config.data.image_size == SIDE:
        cache = Cache(config.eval.cache)
        measures["features"] = _features(data.train, cache, config.eval.batch_size, devices)
    columns = [generated[:, None]]
    for name, (train, measure) in measures.items():
        indices, distances = find_nearest(measure(generated), train, config.show.nearest)
        columns.append(data.train[indices])
        _, of_held_out = find_nearest(measure(held_out), train, 1)
        report(
            f"by {name}, median distance to the nearest training image: "
            f"{np.median(distances[:, 0]):.3g} for generated images, "
            f"{np.median(of_held_out):.3g} for held-out images"
        )
    rows = np.concatenate(columns, axis=1)
    path = pictures(out or workdir) / f"nearest-{trained.name}.png"
    write_png(path, image_grid(rows.reshape(-1, *rows.shape[2:]), columns=rows.shape[1]))
    report(f"generated images, then the nearest by {' and by '.join(measures)}: {path}")


def find_nearest(
    queries: np.ndarray, train: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find the training rows nearest to each query, by Euclidean distance.

    Args:
        queries: [n, D].
        train: [m, D].

    Returns:
        Indices and distances, [n, count] each, nearest first.
    """
    close = np.concatenate(
        [
            (part**2).sum(axis=1) - 2 * queries @ part.T
            for part in (
                train[i : i + CHUNK].astype(np.float32) for i in range(0, len(train), CHUNK)
            )
        ],
        axis=1,
    )
    # Rounding may change the order, so a few more candidates are compared exactly.
    few = np.argsort(close, axis=1, kind="stable")[:, : count + 10]
    exact = np.linalg.norm(train[few].astype(np.float64) - queries[:, None], axis=-1)
    order = np.argsort(exact, axis=1, kind="stable")[:, :count]
    return np.take_along_axis(few, order, axis=1), np.take_along_axis(exact, order, axis=1)


def _rows(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1)


def _flat(images: np.ndarray) -> np.ndarray:
    return _rows(images).astype(np.float32)


def _features(
    train: np.ndarray, cache: Cache, batch_size: int, devices: Sequence[jax.Device]
) -> tuple[np.ndarray, Measure]:
    """Return the features of the training images, and a function that extracts those of others."""
    network = load_network("classifier", None, cache)
    extract = make_extractor(network, devices)

    def measure(images: np.ndarray) -> np.ndarray:
        return extract(in_batches(images, batch_size, len(devices)), len(images)).features

    batches = in_batches(train, batch_size, len(devices))
    reference = load_reference(train, digest_of(train), network, cache, extract, batches)
    return reference.features, measure
