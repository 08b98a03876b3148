"""Descriptions of data sets: nothing that they name is imported or opened without need."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gcgan_jax.data.tfds import load_cifar10
from gcgan_jax.data.tfds_description import check_prepared
from gcgan_jax.errors import UserError
from tests.reliability.invalid_input_cases.data import DATA, tfds

CLASSES = "tensorflow_datasets.core.features."
CURRENT = {
    "pythonClassName": f"{CLASSES}features_dict.FeaturesDict",
    "description": "All features. With a dot.",
    "featuresDict": {
        "features": {
            "image": {
                "pythonClassName": f"{CLASSES}image_feature.Image",
                "image": {"shape": {"dimensions": ["32", "32", "3"]}, "dtype": "uint8"},
            },
            "label": {
                "pythonClassName": f"{CLASSES}class_label_feature.ClassLabel",
                "classLabel": {"numClasses": "10"},
            },
        }
    },
}
OLDER = {
    "type": f"{CLASSES}features_dict.FeaturesDict",
    "content": {
        "label": {
            "type": f"{CLASSES}class_label_feature.ClassLabel",
            "content": {"num_classes": 10},
            "proto_cls": "tensorflow_datasets.ClassLabel",
        }
    },
    "proto_cls": "",
}
OBJECTS = {
    "pythonClassName": f"{CLASSES}features_dict.FeaturesDict",
    "featuresDict": {
        "features": {
            "objects": {
                "pythonClassName": f"{CLASSES}sequence_feature.Sequence",
                "sequence": {
                    "feature": {
                        "pythonClassName": f"{CLASSES}bounding_boxes.BBoxFeature",
                        "boundingBox": {"shape": {"dimensions": ["4"]}, "dtype": "float32"},
                    }
                },
            },
            "mask": {"pythonClassName": f"{CLASSES}labeled_image.LabeledImage"},
        }
    },
}
INFO = {
    "name": "cifar10",
    "version": "3.0.2",
    "fileFormat": "tfrecord",
    "moduleName": "tensorflow_datasets.image_classification.cifar",
    "citation": "@book{..., url = {https://www.cs.toronto.edu/~kriz/cifar.html}}",
    "location": {"urls": ["https://www.cs.toronto.edu/~kriz/cifar.html"]},
    "releaseNotes": {"3.0.0": "New split API (https://tensorflow.org/datasets/splits)"},
    "splits": [{"name": "train", "filepathTemplate": "{DATASET}-{SPLIT}.{FILEFORMAT}"}],
}


def write(directory: Path, features: Any = CURRENT, info: Any = INFO) -> Path:
    (directory / "features.json").write_text(json.dumps(features))
    (directory / "dataset_info.json").write_text(json.dumps(info))
    return directory


@pytest.mark.parametrize("features", [CURRENT, OLDER, OBJECTS])
def test_descriptions_of_tfds_are_accepted(features: dict[str, Any], tmp_path: Path) -> None:
    check_prepared(write(tmp_path, features))


def feature(**fields: Any) -> dict[str, Any]:
    return {"featuresDict": {"features": {"description": fields}}}


@pytest.mark.parametrize(
    "features",
    [
        feature(pythonClassName="evil.module.Feature"),
        feature(python_class_name="evil.module.Feature"),
        feature(type="evil.module.Feature", content={}),
        feature(jsonFeature={"json": json.dumps({"type": "evil.module.Feature"})}),
        feature(jsonFeature={"json": '{"type": "evil\\u002emodule\\u002eFeature"}'}),
        feature(pythonClassName=f"{CLASSES}image_feature.Image.evil"),
        feature(pythonClassName=f"evil.{CLASSES}image_feature.Image"),
        ["evil.module.Feature"],
    ],
)
def test_classes_of_others_are_rejected(features: Any, tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"features\.json names the class .*, which sets of images do"
    ):
        check_prepared(write(tmp_path, features))


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"moduleName": "evil"}, "module"),
        ({"module_name": "tensorflow_datasets"}, "module"),
        ({"moduleName": "tensorflow_datasets.x; evil"}, "module"),
        ({"features": feature(pythonClassName="evil.module.Feature")}, "class"),
        ({"name": "../cifar10"}, "file"),
        ({"name": "/dev/zero"}, "file"),
        ({"version": "../3.0.2"}, "file"),
        ({"splits": [{"name": "a/b"}]}, "file"),
        ({"splits": [{"filepathTemplate": "/dev/zero"}]}, "file"),
        ({"splits": [{"filepath_template": "..{DATASET}"}]}, "file"),
    ],
)
def test_names_that_lead_elsewhere_are_rejected(
    change: dict[str, Any], kind: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=rf"dataset_info\.json names the {kind} '"):
        check_prepared(write(tmp_path, info=INFO | change))


def test_long_names_are_cut(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        check_prepared(write(tmp_path, ["evil." * 10**4]))
    assert len(str(error.value)) < len(str(tmp_path)) + 250


CASES = [case for case in DATA if "description" in case.name or "file" in case.name]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nothing_is_imported_or_waited_for(
    case: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "evil"
    package.mkdir()
    for name in ("__init__", "module"):
        (package / f"{name}.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    case.prepare(tmp_path / "data")
    began = time.monotonic()
    with pytest.raises(UserError) as error:
        load_cifar10(str(tmp_path / "data"))
    assert time.monotonic() - began < 60
    assert "\n" not in str(error.value) and "evil" not in sys.modules


def test_prepared_data_are_accepted(tmp_path: Path) -> None:
    make: Callable[[Path], Path] = tfds(train=2, test=2)
    check_prepared(make(tmp_path).parent)
