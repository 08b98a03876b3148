"""Missing, corrupted and foreign data sets."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

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
        images = list(tfds_images(shape, train + test))
        splits = {"train": images[:train], "test": images[train:]}
        return store(directory, "cifar10", splits, shape, classes)

    return make


def store(
    directory: Path,
    name: str,
    splits: Mapping[str, Sequence[Any]],
    shape: tuple[int | None, int | None, int],
    classes: Sequence[int] = (0,),
    feature: str = "image",
    config: str | None = None,
) -> Path:
    """Prepare a TFDS data set of images, or of files of images; return the first split's file."""
    import tensorflow_datasets as tfds

    features = {
        "id": tfds.features.Text(),
        feature: tfds.features.Image(shape=shape),
        "label": tfds.features.ClassLabel(num_classes=10),
    }
    examples = {
        split: [
            (n, {"id": f"{n}", feature: image, "label": classes[n % len(classes)]})
            for n, image in enumerate(images)
        ]
        for split, images in splits.items()
    }
    tfds.disable_progress_bar()
    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        version="3.0.2",
        data_dir=directory,
        features=tfds.features.FeaturesDict(features),
        split_datasets=examples,
        config=config,
    )
    return next(directory.glob(f"{name}/**/*{next(iter(splits))}.*"))


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


def description(name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Return a function that prepares a data set and changes a description of it."""

    def make(directory: Path) -> None:
        path = tfds()(directory).parent / name
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    return make


def foreign_class(features: dict[str, Any]) -> None:
    features["featuresDict"]["features"]["label"]["pythonClassName"] = "evil.module.Feature"


def foreign_class_as_text(features: dict[str, Any]) -> None:
    content = json.dumps({"description": {"type": "evil.module.Feature", "content": {}}})
    features.pop("featuresDict")
    features["jsonFeature"] = {"json": content.replace(".", "\\u002e")}


def foreign_class_of_older_format(features: dict[str, Any]) -> None:
    features["type"], features["content"] = "evil.module.Feature", {}


def foreign_module(info: dict[str, Any]) -> None:
    info["moduleName"] = "evil.module"


def foreign_files(info: dict[str, Any]) -> None:
    info["splits"][0]["filepathTemplate"] = "/dev/zero"


def foreign_name(info: dict[str, Any]) -> None:
    info["name"] = "../../elsewhere/cifar10"


def instead_of(name: str, make: Callable[[Path], object]) -> Callable[[Path], None]:
    """Return a function that prepares a data set and replaces one of its files."""

    def prepare(directory: Path) -> None:
        record = tfds()(directory)
        path = record if name == "record" else record.parent / name
        path.unlink()
        make(path)

    return prepare


PREPARED = f"{ECC} --config.data.dir={{dir}} --workdir={{dir}}/run"

DATA = (
    Case("data directory that does not exist", f"{ECC} --config.data.dir=/nowhere"),
    Case("data directory without data", PREPARED),
    Case("no data and no network", f"{ECC} --workdir={{dir}}/run"),
    Case("byte of a record file flipped", PREPARED, flipped_record),
    Case("record file cut off", PREPARED, cut_record),
    Case("record file missing", PREPARED, missing_record),
    Case("description damaged", PREPARED, corrupted_description),
    Case("pipe as record file", PREPARED, instead_of("record", os.mkfifo)),
    Case("directory as record file", PREPARED, instead_of("record", os.mkdir)),
    Case(
        "link to a device as description",
        PREPARED,
        instead_of("features.json", lambda path: path.symlink_to("/dev/zero")),
    ),
    Case(
        "description that is nested too deeply",
        PREPARED,
        instead_of("features.json", lambda path: path.write_text("[" * 10**5)),
    ),
    Case(
        "description that is too long",
        PREPARED,
        instead_of("features.json", lambda path: path.write_text(" " * 10**7)),
    ),
    Case(
        "description in another encoding",
        PREPARED,
        instead_of("features.json", lambda path: path.write_bytes(b"{\xff}")),
    ),
    Case("description missing", PREPARED, instead_of("features.json", lambda path: None)),
    Case("class of others in a description", PREPARED, description("features.json", foreign_class)),
    Case(
        "class of others as text in a description",
        PREPARED,
        description("features.json", foreign_class_as_text),
    ),
    Case(
        "class of others in a description of an older format",
        PREPARED,
        description("features.json", foreign_class_of_older_format),
    ),
    Case(
        "module of others in a description",
        PREPARED,
        description("dataset_info.json", foreign_module),
    ),
    Case(
        "files elsewhere in a description",
        PREPARED,
        description("dataset_info.json", foreign_files),
    ),
    Case("name that leads elsewhere", PREPARED, description("dataset_info.json", foreign_name)),
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
