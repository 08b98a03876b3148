"""Writes images of a trained generator; `--mode=sample`."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import jax
import numpy as np

from gcgan_jax.commands.trained import load_trained
from gcgan_jax.experiment import Experiment
from gcgan_jax.gan.sampler import first
from gcgan_jax.runtime.console import report
from gcgan_jax.runtime.progress import image_progress
from gcgan_jax.storage.atomic import write_folder
from gcgan_jax.storage.image_files import image_grid, write_npz, write_png
from gcgan_jax.storage.workdir import pictures


def sample(
    experiment: Experiment,
    workdir: Path,
    devices: Sequence[jax.Device] | None = None,
    out: Path | None = None,
) -> Path:
    """Write config.show.images images to `pictures`, in config.show.format.

    If config.show.seed is the run's seed, they start with the images of the run's sample grids.

    Args:
        devices: devices to compute on; None: all devices of this process.
        out: directory for `pictures`; None: the workdir.

    Returns:
        The path of the file, or of the folder of single images.

    Raises:
        UserError: see `load_trained`.
    """
    trained = load_trained(experiment, workdir, devices)
    format, n = experiment.config.show.format, experiment.config.show.images
    images = first(image_progress(trained.sampler.stream(trained.variables, trained.key, n), n), n)
    path = pictures(out or workdir) / f"samples-{trained.name}"
    if format == "npz":
        path = path.with_suffix(".npz")
        write_npz(path, images, (n, *experiment.gan.image_shape))
    elif format == "png":
        write_folder(path, lambda folder: _write_images(folder, images))
    else:
        path = path.with_suffix(".png")
        write_png(path, image_grid(np.concatenate(list(images))))
    report(f"{n} images of iteration {trained.iteration}: {path}")
    return path


def _write_images(folder: Path, batches: Iterator[np.ndarray]) -> None:
    """Write 00000.png, 00001.png and so on."""
    for number, image in enumerate(chain.from_iterable(batches)):
        write_png(folder / f"{number:05}.png", image)
