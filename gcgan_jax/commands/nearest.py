"""The training images nearest to generated ones, as a check for memorising; `--mode=nearest`.

n images looked at, m training images, D numbers of each.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import jax
import numpy as np

from gcgan_jax.commands.trained import load_trained
from gcgan_jax.evaluation.features import in_batches, make_extractor
from gcgan_jax.evaluation.networks import load_network
from gcgan_jax.evaluation.networks.classifier import SIDE
from gcgan_jax.evaluation.reference_statistics import digest_of, load_reference
from gcgan_jax.experiment import Experiment
from gcgan_jax.runtime.console import report
from gcgan_jax.storage.image_files import image_grid, write_png

HELD_OUT = 500  # test images that samples are compared with
CHUNK = 5_000  # training images at once

Measure = Callable[[np.ndarray], np.ndarray]


def nearest(
    experiment: Experiment, workdir: Path, devices: Sequence[jax.Device] | None = None
) -> None:
    """Writes a picture into the workdir's `pictures`, and tells distances.

    Each row: a generated image; the nearest training images by pixels; and those by features of
    the offline network, if it takes images of this size.

    Raises:
        UserError: there is no such generator, or no data.
    """
    config, devices = experiment.config, devices or jax.local_devices()
    trained = load_trained(experiment, workdir, devices)
    made = trained.images(trained.latents(config.show.latents))
    data = experiment.load_images()
    held_out = data.test[:HELD_OUT]
    measures: dict[str, tuple[np.ndarray, Measure]] = {"pixels": (_flat(data.train), _flat)}
    if config.data.image_size == SIDE:
        cache = Path(config.eval.cache).expanduser()
        measures["features"] = _features(data.train, cache, config.eval.batch_size, devices)
    columns = [made[:, None]]
    for name, (train, measure) in measures.items():
        indices, distances = find_nearest(measure(made), train, config.show.nearest)
        columns.append(data.train[indices])
        _, of_held_out = find_nearest(measure(held_out), train, 1)
        report(
            f"by {name}: the nearest training image is at {np.median(distances[:, 0]):.3g} from "
            f"generated, at {np.median(of_held_out):.3g} from held-out images (medians)"
        )
    rows = np.concatenate(columns, axis=1)
    path = workdir / "pictures" / f"nearest-{trained.name}.png"
    write_png(path, image_grid(rows.reshape(-1, *rows.shape[2:]), columns=rows.shape[1]))
    report(f"generated images, then the nearest by {' and by '.join(measures)}: {path}")


def find_nearest(
    queries: np.ndarray, train: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Euclidean distances: [n, D], [m, D] -> indices and distances [n, count], nearest first."""
    close = np.concatenate(
        [
            (part**2).sum(axis=1) - 2 * queries @ part.T
            for part in (
                train[i : i + CHUNK].astype(np.float32) for i in range(0, len(train), CHUNK)
            )
        ],
        axis=1,
    )
    # Rounding may put the nearest in another order: a few more are looked at exactly.
    few = np.argsort(close, axis=1, kind="stable")[:, : count + 10]
    exact = np.linalg.norm(train[few].astype(np.float64) - queries[:, None], axis=-1)
    order = np.argsort(exact, axis=1, kind="stable")[:, :count]
    return np.take_along_axis(few, order, axis=1), np.take_along_axis(exact, order, axis=1)


def _flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float32)


def _features(
    train: np.ndarray, cache: Path, batch_size: int, devices: Sequence[jax.Device]
) -> tuple[np.ndarray, Measure]:
    """Of the training images, and a measure of others."""
    network = load_network("classifier", None, cache)
    extract = make_extractor(network, devices)

    def measure(images: np.ndarray) -> np.ndarray:
        return extract(in_batches(images, batch_size, len(devices)), len(images)).features

    batches = in_batches(train, batch_size, len(devices))
    reference = load_reference(train, digest_of(train), network, cache, extract, batches)
    return reference.features, measure
