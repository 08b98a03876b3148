"""CIFAR-10 from TensorFlow Datasets (TFDS)."""

import os
import re
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from gcgan_jax.data.images import Images, Labels
from gcgan_jax.data.tfds_description import INFO, check_prepared
from gcgan_jax.errors import UserError
from gcgan_jax.paths import local_path

CIFAR10_HOST = "https://www.cs.toronto.edu"  # TFDS downloads from here
CIFAR10_SHAPE = (32, 32, 3)
MAX_REASON = 200  # characters of a message from TFDS


@dataclass(frozen=True)
class CIFAR10:
    """The CIFAR-10 data set.

    Attributes:
        dir: prepared TFDS directory; None: the TFDS default, filled by a download on first use.
    """

    dir: str | None = None
    image_size: int = 32
    num_train: ClassVar[int] = 50_000  # images, known without loading them

    def __post_init__(self) -> None:
        if self.image_size != 32:
            raise ValueError(
                f"image_size = {self.image_size}, but CIFAR-10 images are 32x32: set image_size to "
                "32, or config.data.name to 'twins'"
            )

    def load(self) -> Images:
        return load_cifar10(self.dir)

    def load_labelled(self) -> tuple[Images, Labels]:
        return load_labelled_cifar10(self.dir)


def load_cifar10(directory: str | None) -> Images:
    """Load the images of CIFAR-10; see `load_labelled_cifar10`."""
    return load_labelled_cifar10(directory)[0]


def load_labelled_cifar10(directory: str | None) -> tuple[Images, Labels]:
    """Load CIFAR-10 from a TFDS directory; None: the TFDS default, downloading on first use.

    Raises:
        UserError: the data are missing and cannot be downloaded, or cannot be read; or TensorFlow
            or TFDS is not installed.
    """
    path = _directory(directory)
    stored = _stored(path)
    if stored:
        check_prepared(stored)
    elif directory:
        raise UserError(
            f"config.data.dir = {directory!r} contains no prepared TFDS data set 'cifar10': set "
            "--config.data.dir=DIR to a prepared directory, or leave it unset to download"
        )
    tfds = _import_tfds()
    if not stored:
        _require_network(path)
    try:
        if not stored:
            tfds.builder("cifar10", data_dir=str(path)).download_and_prepare()
        # Read with the stored metadata: with TFDS's own, smaller images would be padded silently.
        builder = tfds.builder_from_directory(str(stored or _stored(path)))
        train, test = builder.as_dataset(split=["train", "test"], batch_size=-1)
        images = Images(train["image"].numpy(), test["image"].numpy())
        labels = Labels(train["label"].numpy(), test["label"].numpy())
    except Exception as error:  # TFDS and TensorFlow raise many types for corrupted files
        message = re.sub(r"\{\{.*?\}\}|\[Op:.*", "", str(error)).strip()  # without op names
        reason = message.splitlines()[0][:MAX_REASON] if message else type(error).__name__
        raise UserError(
            f"CIFAR-10 in {path} cannot be read ({reason}): prepare it again, or set "
            "--config.data.dir=DIR to another directory"
        ) from error
    for split, array in {"train": images.train, "test": images.test}.items():
        if array.shape[1:] != CIFAR10_SHAPE or array.dtype != np.uint8 or not len(array):
            raise UserError(
                f"the data in {path} are not CIFAR-10: split {split!r} is {array.dtype} of shape "
                f"{array.shape}, expected uint8 (n, 32, 32, 3); set --config.data.dir=DIR to "
                "another directory"
            )
    return images, labels


def _import_tfds() -> Any:
    """Import TFDS, and TensorFlow without accelerators, which takes seconds."""
    try:
        import tensorflow as tf
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise UserError(
            f"CIFAR-10 cannot be read ({error}): install TensorFlow and tensorflow-datasets, or "
            "set --config.data.name=npz to read a file that was made with them"
        ) from error
    for kind in ("GPU", "TPU"):  # reserved for JAX
        tf.config.set_visible_devices([], kind)
    return tfds


def _directory(directory: str | None) -> Path:
    default = os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    return Path(directory) if directory else local_path(default, "TFDS_DATA_DIR")


def _stored(path: Path) -> Path | None:
    """Return the directory of the newest prepared version."""
    descriptions = path.glob(f"cifar10/*/{INFO}")
    return max((description.parent for description in descriptions), default=None)


def _require_network(path: Path) -> None:
    """Raise UserError within seconds without a network, where TFDS would retry for minutes."""
    try:
        urllib.request.urlopen(urllib.request.Request(CIFAR10_HOST, method="HEAD"), timeout=10)
    except OSError as error:
        raise UserError(
            f"CIFAR-10 is not in {path} and cannot be downloaded ({error}): set "
            "--config.data.dir=DIR to a prepared TFDS directory, or run "
            "--config=configs/quickstart.py, which generates its images"
        ) from None
