"""Sets of images from TensorFlow Datasets (TFDS), CIFAR-10 among them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from gcgan_jax.data.decode import ImageError
from gcgan_jax.data.images import Images, Labels, Progress, silently
from gcgan_jax.data.reading import read_all, read_bytes
from gcgan_jax.data.tfds_builder import Source
from gcgan_jax.errors import UserError
from gcgan_jax.ranges import Free

CIFAR10_HOST = "https://www.cs.toronto.edu"  # TFDS downloads from here
CIFAR10_SHAPE = (32, 32, 3)
TFDS_HOST = "https://storage.googleapis.com"  # that TFDS asks about most sets
IMAGE = "image"  # the feature that is read


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
    source = Source("cifar10", "CIFAR-10", CIFAR10_HOST, directory)
    builder = source.open()
    with source.readable():
        train, test = builder.as_dataset(split=["train", "test"], batch_size=-1)
        images = Images(train[IMAGE].numpy(), test[IMAGE].numpy())
        labels = Labels(train["label"].numpy(), test["label"].numpy())
    for split, array in {"train": images.train, "test": images.test}.items():
        if array.shape[1:] != CIFAR10_SHAPE or array.dtype != np.uint8 or not len(array):
            raise UserError(
                f"the data in {source.path} are not CIFAR-10: split {split!r} is {array.dtype} of "
                f"shape {array.shape}, expected uint8 (n, 32, 32, 3); set --config.data.dir=DIR to "
                "another directory"
            )
    return images, labels


@dataclass(frozen=True)
class TFDS:
    """Any set of images in TFDS, fitted as those of an `ImageFolder`. Invalid names: ValueError.

    Attributes:
        name: its name, or NAME/CONFIG.
        dir: prepared TFDS directory; None: the TFDS default, filled by a download on first use.
        train_split, test_split: splits of training and of held-out images, in TFDS's notation, such
            as "train[:90%]" and "train[90%:]".
    """

    name: str
    image_size: int
    channels: int = 3
    progress: Progress = silently
    dir: str | None = None
    train_split: Annotated[str, Free()] = "train"
    test_split: Annotated[str, Free()] = "test"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z]\w*(/\w[\w.+-]*)?", self.name, re.ASCII):
            raise ValueError(f"{self.name!r} is no name of a TFDS data set: write tfds:NAME")

    def load(self) -> Images:
        source = Source(self.name, f"TFDS data set {self.name!r}", TFDS_HOST, self.dir)
        builder = source.open()
        _require_images(builder.info.features, source)
        splits = {"train_split": self.train_split, "test_split": self.test_split}
        return Images(*(self._read(source, builder, *field) for field in splits.items()))

    def _read(self, source: Source, builder: Any, field: str, split: str) -> np.ndarray:
        try:
            count = int(builder.info.splits[split].num_examples)
        except Exception:  # TFDS raises many types for a split that it cannot read
            count = 0
        if not count:
            raise UserError(
                f"config.data.tfds.{field} = {split!r}: {source.title} has no such images; its "
                f"splits are {', '.join(builder.info.splits)}, parts such as 'train[:90%]'"
            )

        def read(example: tuple[int, bytes]) -> np.ndarray:
            number, content = example
            try:
                return read_bytes(content, self.image_size, self.channels)
            except ImageError as error:
                where = f"image {number} of split {split!r} of {source.title} in {source.path}"
                raise UserError(f"{where} {error}") from None

        shape = (count, self.image_size, self.image_size, self.channels)
        with source.readable():
            return read_all(read, _contents(builder, split), shape, self.progress)


def _require_images(features: Any, source: Source) -> None:
    import tensorflow_datasets as tfds

    found = dict(features) if isinstance(features, tfds.features.FeaturesDict) else {}
    image = found.get(IMAGE)
    if not isinstance(image, tfds.features.Image) or image.np_dtype != np.uint8:
        raise UserError(
            f"{source.title} in {source.path} has no feature {IMAGE!r} of 8-bit images, but "
            f"{', '.join(sorted(found)) or 'none'}: choose another data set"
        )


def _contents(builder: Any, split: str) -> Iterator[tuple[int, bytes]]:
    """Yield number and file of each image, in the order in which they are stored.

    TensorFlow would decode JPEGs less exactly than Pillow.
    """
    import tensorflow_datasets as tfds

    skipped = tfds.decode.PartialDecoding(
        {IMAGE: True}, decoders={IMAGE: tfds.decode.SkipDecoding()}
    )
    examples = builder.as_dataset(
        split=split,
        decoders=skipped,
        shuffle_files=False,
        read_config=tfds.ReadConfig(try_autocache=False),
    )
    for number, example in enumerate(tfds.as_numpy(examples)):
        yield number, example[IMAGE]
