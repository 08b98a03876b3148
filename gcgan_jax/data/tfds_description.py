"""Checks the files of a prepared TFDS data set before TFDS reads them.

TFDS imports the modules that a description names, and opens the files that it names.
"""

import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gcgan_jax.errors import UserError
from gcgan_jax.regular_files import kind_of, open_regular

REMEDY = "prepare the data set again, or set --config.data.dir=DIR to another directory"
INFO, FEATURES = "dataset_info.json", "features.json"
MAX_BYTES = 2**22  # of a description; CIFAR-10's have a few kilobytes
MAX_SHOWN = 60  # characters of a name in messages
FEATURE_CLASSES = {
    f"tensorflow_datasets.core.features.{name}"
    for name in (
        "bounding_boxes.BBoxFeature",
        "class_label_feature.ClassLabel",
        "features_dict.FeaturesDict",
        "image_feature.Image",
        "labeled_image.LabeledImage",
        "scalar.Scalar",
        "sequence_feature.Sequence",
        "tensor_feature.Tensor",
        "text_feature.Text",
    )
}
MESSAGE = re.compile(r"tensorflow_datasets\.[A-Za-z]+")  # of a protocol buffer
MODULE = re.compile(r"tensorflow_datasets(\.[A-Za-z_][A-Za-z0-9_]*)+")
CLASS_FIELDS = {"pythonclassname", "json"}  # fields of the info, see `_field`
FILE_FIELDS = {
    *("name", "version", "configname", "fileformat", "alternativefileformats"),
    "filepathtemplate",
}


def check_prepared(directory: Path) -> None:
    """Require that reading a data set executes no foreign code and opens no foreign files.

    Raises:
        UserError: a file of the directory is missing or is not a regular file, or a description is
            corrupted or names a class, module or file that sets of images do not need.
    """
    for path in sorted(directory.iterdir()):
        if not path.name.startswith("."):
            _require_regular(path)
    for field, text in _texts(_read(directory / FEATURES)):
        if field != "description" and not _harmless(text):
            raise _foreign(directory / FEATURES, "class", text)
    for field, text in _texts(_read(directory / INFO)):
        if field in CLASS_FIELDS and not _harmless(text):
            raise _foreign(directory / INFO, "class", text)
        if field == "modulename" and not MODULE.fullmatch(text):
            raise _foreign(directory / INFO, "module", text)
        if field in FILE_FIELDS and re.search(r"[/\\\0]|\.\.", text):
            raise _foreign(directory / INFO, "file", text)


def _harmless(text: str) -> bool:
    """Whether a text names no class, not even if it is JSON itself, or a class that is needed."""
    unnamed = not re.search(r"[.\\]", text)
    return unnamed or text in FEATURE_CLASSES or bool(MESSAGE.fullmatch(text))


def _require_regular(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): {REMEDY}") from None
    if not stat.S_ISREG(mode):
        raise UserError(f"{path} is a {kind_of(mode)}, not a file: {REMEDY}")


def _read(path: Path) -> Any:
    try:
        with open_regular(path) as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ValueError(f"it is longer than {MAX_BYTES} bytes")
        return json.loads(content.decode())
    except FileNotFoundError:
        raise UserError(f"{path} is missing: {REMEDY}") from None
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UserError(f"{path} cannot be read ({reason}): {REMEDY}") from None


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    """Yield all texts of a description, each with the field that contains it."""
    pending = [("", value)]
    while pending:
        field, value = pending.pop()
        if isinstance(value, str):
            yield field, value
        elif isinstance(value, list):
            pending += [(field, item) for item in value]
        elif isinstance(value, dict):
            pending += [(_field(key), item) for key, item in value.items()]


def _field(key: str) -> str:
    """Return a field's name regardless of its spelling, such as "moduleName" or "module_name"."""
    return key.replace("_", "").lower()


def _foreign(path: Path, kind: str, name: str) -> UserError:
    shown = name if len(name) <= MAX_SHOWN else f"{name[:MAX_SHOWN]}…"
    return UserError(
        f"{path} names the {kind} {shown!r}, which sets of images do not need: {REMEDY}"
    )
