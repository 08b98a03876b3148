"""Images to train on: CIFAR-10 through TFDS, or the procedural twins."""

import os
import re
import urllib.request
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gcgan_jax.config import Config
from gcgan_jax.errors import UserError
from gcgan_jax.twins import Twins, make_images

CIFAR10_HOST = "https://www.cs.toronto.edu"  # from which TFDS downloads it
CIFAR10_SHAPE = (32, 32, 3)


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
        if not prepared:
            tfds.builder("cifar10", data_dir=str(place)).download_and_prepare()
        # By its own description: by TFDS's of CIFAR-10, smaller images would be padded silently.
        stored = max(place.glob("cifar10/*/dataset_info.json")).parent
        builder = tfds.builder_from_directory(str(stored))
        train, test = builder.as_dataset(split=["train", "test"], batch_size=-1)
        images = Images(train["image"].numpy(), test["image"].numpy())
    except Exception as error:  # TFDS and TensorFlow raise many kinds for damaged files
        named = re.sub(r"\{\{.*?\}\}|\[Op:.*", "", str(error)).strip()  # by TensorFlow's operations
        reason = named.splitlines()[0] if named else type(error).__name__
        raise UserError(
            f"CIFAR-10 in {place} cannot be read ({reason}): prepare it anew, or name another "
            "directory with --config.data.dir=DIR"
        ) from error
    for split, found in images._asdict().items():
        if found.shape[1:] != CIFAR10_SHAPE or found.dtype != np.uint8 or not len(found):
            raise UserError(
                f"CIFAR-10 in {place} is not it: its split {split!r} is {found.dtype} of shape "
                f"{found.shape}, expected uint8 (n, 32, 32, 3): name another directory with "
                "--config.data.dir=DIR"
            )
    return images


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
