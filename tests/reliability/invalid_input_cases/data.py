"""Missing, corrupted and foreign data sets."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from tests.reliability.invalid_input_cases.case import ECC, QUICKSTART, Case


def tfds_images(shape: tuple[int, int, int], count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *shape), np.uint8)


def tfds(
    shape: tuple[int, int, int] = (32, 32, 3),
    train: int = 40,
    test: int = 8,
    classes: Sequence[int] = (0,),
) -> Callable[[Path], Path]:
    """Return a function that prepares a TFDS data set "cifar10" of random images.

    That function takes a directory and returns the training split's file.

    Args:
        train, test: sizes of the splits.
        classes: labels of the images, in rotation.
    """

    def make(directory: Path) -> Path:
        import tensorflow_datasets as tfds

        examples = [
            (n, {"id": f"{n}", "image": image, "label": classes[n % len(classes)]})
            for n, image in enumerate(tfds_images(shape, train + test))
        ]
        features = {
            "id": tfds.features.Text(),
            "image": tfds.features.Image(shape=shape),
            "label": tfds.features.ClassLabel(num_classes=10),
        }
        tfds.disable_progress_bar()
        tfds.dataset_builders.store_as_tfds_dataset(
            name="cifar10",
            version="3.0.2",
            data_dir=directory,
            features=tfds.features.FeaturesDict(features),
            split_datasets={"train": examples[:train], "test": examples[train:]},
        )
        return next(directory.glob("cifar10/3.0.2/*train*"))

    return make


def flipped_record(directory: Path) -> None:
    path = tfds()(directory)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut_record(directory: Path) -> None:
    path = tfds()(directory)
    path.write_bytes(path.read_bytes()[:-100])


def missing_record(directory: Path) -> None:
    tfds()(directory).unlink()


def empty_split(directory: Path) -> None:
    folder = tfds(test=1)(directory).parent
    path = folder / "dataset_info.json"
    info = json.loads(path.read_text())
    for split in info["splits"]:
        if split["name"] == "test":
            split["shardLengths"] = ["0"]
    path.write_text(json.dumps(info))
    next(folder.glob("*test*")).write_bytes(b"")


def corrupted_description(directory: Path) -> None:
    (tfds()(directory).parent / "dataset_info.json").write_text("{")


PREPARED = f"{ECC} --config.data.dir={{dir}} --workdir={{dir}}/run"

DATA = (
    Case("data directory that does not exist", f"{ECC} --config.data.dir=/nowhere"),
    Case("data directory without data", PREPARED),
    Case("no data and no network", f"{ECC} --workdir={{dir}}/run"),
    Case("byte of a record file flipped", PREPARED, flipped_record),
    Case("record file cut off", PREPARED, cut_record),
    Case("record file missing", PREPARED, missing_record),
    Case("description damaged", PREPARED, corrupted_description),
    Case("images of another size", PREPARED, tfds((28, 28, 3))),
    Case("grey images", PREPARED, tfds((32, 32, 1))),
    Case("images with alpha", PREPARED, tfds((32, 32, 4))),
    Case("empty split", PREPARED, empty_split),
    Case("fewer images than the batch", PREPARED, tfds(train=8)),
    Case(
        "fewer procedural images than the batch",
        f"{QUICKSTART} --config.data.twins.num_train=8 --workdir={{dir}}/run",
    ),
)
