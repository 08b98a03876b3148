"""CIFAR-10 through TensorFlow Datasets."""

import os
import re
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gcgan_jax.data.images import Images
from gcgan_jax.errors import UserError

CIFAR10_HOST = "https://www.cs.toronto.edu"  # from which TFDS downloads it
CIFAR10_SHAPE = (32, 32, 3)


@dataclass(frozen=True)
class CIFAR10:
    """CIFAR-10 from a prepared TFDS directory; None is TFDS's own, downloaded to on first use."""

    dir: str | None = None
    image_size: int = 32

    def __post_init__(self) -> None:
        if self.image_size != 32:
            raise ValueError(
                f"image_size = {self.image_size}: CIFAR-10 has 32; use data.name='twins'"
            )

    def load(self) -> Images:
        return load_cifar10(self.dir)


def load_cifar10(directory: str | None) -> Images:
    """CIFAR-10 from a prepared TFDS directory; None is TFDS's own, downloaded to on first use.

    Raises:
        UserError: nothing there and no network, or it cannot be read.
    """
    place = Path(directory or os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")).expanduser()
    prepared = any(place.glob("cifar10/*/dataset_info.json"))
    if not prepared and directory:
        raise UserError(
            f"config.data.dir = {directory!r} holds no prepared TFDS data set 'cifar10': name one "
            "with --config.data.dir=DIR, or leave it out to download"
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
            f"CIFAR-10 in {place} cannot be read ({reason}): prepare it again, or name another "
            "directory with --config.data.dir=DIR"
        ) from error
    for split, found in {"train": images.train, "test": images.test}.items():
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
