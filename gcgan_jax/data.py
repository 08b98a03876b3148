"""Images to train on: CIFAR-10 through TFDS, or the procedural twins."""

import os
import urllib.request
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gcgan_jax.config import Config
from gcgan_jax.errors import UserError
from gcgan_jax.twins import Twins, make_images

CIFAR10_HOST = "https://www.cs.toronto.edu"  # from which TFDS downloads it


class Images(NamedTuple):
    """uint8 [n, H, W, F] each; `test` is held out."""

    train: np.ndarray
    test: np.ndarray


def load_images(config: Config) -> Images:
    """The data set of a config.

    Raises:
        UserError: it is absent or damaged, or smaller than a batch.
    """
    images = make_twins(config) if config.data.name == "twins" else load_cifar10(config.data.dir)
    if len(images.train) < config.batch_size:
        raise UserError(
            f"config.batch_size = {config.batch_size} is larger than the {len(images.train)} "
            f"training images of {config.data.name}"
        )
    return images


def twins_of(config: Config) -> Twins:
    """What the procedural images of a config look like."""
    twins = config.data.twins
    return Twins(config.data.image_size, twins.grid, twins.jitter, twins.texture)


def make_twins(config: Config) -> Images:
    """Procedural images, which follow from the seed alone."""
    twins, seed = config.data.twins, 2 * config.seed
    return Images(
        train=make_images(twins_of(config), seed, twins.num_train),
        test=make_images(twins_of(config), seed + 1, twins.num_test),
    )


def load_cifar10(directory: str) -> Images:
    """CIFAR-10 from a prepared TFDS directory; "" is TFDS's own, downloaded to on first use.

    Raises:
        UserError: nothing there and no network, or it cannot be read.
    """
    place = Path(directory or os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")).expanduser()
    prepared = any(place.glob("cifar10/*/dataset_info.json"))
    if not prepared and directory:
        raise UserError(
            f"config.data.dir = {directory!r} holds no prepared TFDS data set 'cifar10': name one "
            "with --config.data.dir=DIR, or leave it empty to download"
        )
    if not prepared:
        _require_network(place)

    import tensorflow as tf  # seconds to import, and needed for nothing else here
    import tensorflow_datasets as tfds

    for kind in ("GPU", "TPU"):  # they are JAX's
        tf.config.set_visible_devices([], kind)
    try:
        train, test = tfds.load(
            "cifar10",
            split=["train", "test"],
            data_dir=str(place),
            download=not prepared,
            batch_size=-1,
        )
        return Images(train["image"].numpy(), test["image"].numpy())
    except Exception as error:  # TFDS and TensorFlow raise many kinds for damaged files
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(
            f"CIFAR-10 in {place} cannot be read ({reason}): prepare it anew, or name another "
            "directory with --config.data.dir=DIR"
        ) from error


def _require_network(place: Path) -> None:
    """Fails in seconds where TFDS would retry for minutes."""
    try:
        urllib.request.urlopen(urllib.request.Request(CIFAR10_HOST, method="HEAD"), timeout=10)
    except OSError as error:
        raise UserError(
            f"no CIFAR-10 in {place} and no network to download it ({error}): name a prepared "
            "TFDS directory with --config.data.dir=DIR, or run --config=configs/quickstart.py, "
            "which makes its own images"
        ) from None
