"""TFDS data sets other than CIFAR-10, and images that are too large for a device."""

from pathlib import Path

from tests.reliability.invalid_input_cases.case import ECC, QUICKSTART, Case
from tests.reliability.invalid_input_cases.data import store, tfds_images


def digits(directory: Path, name: str = "digits") -> None:
    """Prepare a TFDS data set of grey images of 28x28 pixels."""
    images = list(tfds_images((28, 28, 1), 60))
    store(directory, name, {"train": images, "test": images}, (28, 28, 1))


def texts_as_images(directory: Path) -> None:
    store(directory, "digits", {"train": [b"text"], "test": [b"text"]}, (28, 28, 1))


DIGITS = f"{ECC} --config.data.name=tfds:digits --config.data.dir={{dir}} --workdir={{dir}}/run"

IMAGE_SETS = (
    Case(
        "images larger than the limit of a device",
        f"{QUICKSTART} --config.data.device_limit=1000000 --workdir={{dir}}/run",
    ),
    Case(
        "two calls larger than the limit of a device",
        f"{QUICKSTART} --config.data.placement=host --config.data.device_limit=100000 "
        "--workdir={dir}/run",
    ),
    Case("TFDS data set that is not prepared", DIGITS),
    Case("TFDS data set of images smaller than image_size", DIGITS, digits),
    Case(
        "split that a TFDS data set does not have",
        f"{DIGITS} --config.data.image_size=16 --config.data.tfds.test_split=validation",
        digits,
    ),
    Case("TFDS data set with damaged images", DIGITS, texts_as_images),
    Case(
        "unknown TFDS data set",
        f"{ECC} --config.data.name=tfds:mnits --workdir={{dir}}/run",
    ),
    Case(
        "TFDS data set and no network",
        f"{ECC} --config.data.name=tfds:mnist --config.data.image_size=16 --workdir={{dir}}/run",
    ),
)
