"""Images of a trained generator; `--mode=sample`."""

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


def sample(
    experiment: Experiment, workdir: Path, devices: Sequence[jax.Device] | None = None
) -> Path:
    """Writes config.show.images images into the workdir's `pictures`, as config.show.format says.

    The first are those of the run's own sample grids if config.show.seed is the run's seed.

    Returns:
        The file; of single images, the folder.

    Raises:
        UserError: there is no such generator.
    """
    trained = load_trained(experiment, workdir, devices)
    form, n = experiment.config.show.format, experiment.config.show.images
    images = first(image_progress(trained.sampler.stream(trained.variables, trained.key, n), n), n)
    place = workdir / "pictures" / f"samples-{trained.name}"
    if form == "npz":
        place = place.with_suffix(".npz")
        write_npz(place, images, (n, *experiment.gan.image_shape))
    elif form == "png":
        _write_folder(place, images)
    else:
        place = place.with_suffix(".png")
        write_png(place, image_grid(np.concatenate(list(images))))
    report(f"{n} images of iteration {trained.iteration}: {place}")
    return place


def _write_folder(folder: Path, batches: Iterator[np.ndarray]) -> None:
    """As 00000.png and so on, in place of a folder that is there already."""
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    number = 0
    for images in batches:
        for image in images:
            write_png(part / f"{number:05}.png", image)
            number += 1
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
