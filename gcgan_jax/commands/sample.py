"""Writes images of a trained generator; `--mode=sample`."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import jax
import numpy as np

from gcgan_jax.commands.trained import load_trained
from gcgan_jax.experiment import Experiment
from gcgan_jax.gan.sampler import first
from gcgan_jax.runtime.console import report
from gcgan_jax.runtime.progress import image_progress
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
        _write_folder(path, images)
    else:
        path = path.with_suffix(".png")
        write_png(path, image_grid(np.concatenate(list(images))))
    report(f"{n} images of iteration {trained.iteration}: {path}")
    return path


def _write_folder(folder: Path, batches: Iterator[np.ndarray]) -> None:
    """Write 00000.png, 00001.png and so on, then replace any existing folder."""
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    number = 0
    for images in batches:
        for image in images:
            write_png(part / f"{number:05}.png", image)
            number += 1
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
