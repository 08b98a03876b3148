"""Sets of images in TFDS other than CIFAR-10."""

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gcgan_jax.data.fitting import fit
from gcgan_jax.data.tfds import TFDS
from gcgan_jax.errors import UserError
from tests.conftest import Tiny
from tests.reliability.invalid_input_cases.data import store, tfds_images
from tests.reliability.invalid_input_cases.folders import animated, disguised

GREY, COLOURED = (28, 28, 1), (None, None, 3)


def encoded(image: np.ndarray, format: str = "png") -> bytes:
    file = BytesIO()
    Image.fromarray(image).save(file, format=format, quality=100)
    return file.getvalue()


def photos() -> list[np.ndarray]:
    return [tfds_images((20 + n, 30 - n, 3), 1)[0] for n in range(8)]


def assert_fitted(actual: np.ndarray, images: Sequence[np.ndarray]) -> None:
    """Require the images, in the order in which TFDS has shuffled them."""
    channels = actual.shape[-1]
    expected = sorted(fit(image, 16, channels).tobytes() for image in images)
    assert sorted(image.tobytes() for image in actual) == expected


def test_grey_digits(tiny: Tiny, tmp_path: Path) -> None:
    digits = tfds_images(GREY, 7)
    store(tmp_path, "digits", {"train": digits[:5], "test": digits[5:]}, GREY)
    chosen = {"data__name": "tfds:digits", "data__dir": str(tmp_path)}
    images = tiny(**chosen, data__channels=1).load_images()
    assert_fitted(images.train, digits[:5])
    assert_fitted(images.test, digits[5:])
    assert_fitted(tiny(**chosen).load_images().train, digits[:5])


def test_photos_of_any_size_in_parts_of_a_split(tiny: Tiny, tmp_path: Path) -> None:
    files = [encoded(image) for image in photos()]
    jpeg = Image.open(BytesIO(encoded(photos()[0], "jpeg")))
    files[0] = encoded(photos()[0], "jpeg")
    store(tmp_path, "photos", {"every": files}, COLOURED, config="large")
    tiny_photos = tiny(
        data__name="tfds:photos/large", data__dir=str(tmp_path),
        data__tfds__train_split="every[:75%]", data__tfds__test_split="every[75%:]",
    )  # fmt: skip
    images = tiny_photos.load_images()
    assert [len(split) for split in images] == [6, 2]
    assert_fitted(np.concatenate(images), [np.asarray(jpeg), *photos()[1:]])
    assert tiny_photos.settings["data"]["tfds"]["train_split"] == "every[:75%]"
    np.testing.assert_array_equal(tiny_photos.load_images().train, images.train)


def made(make: Callable[[Path], object], directory: Path) -> bytes:
    """Return the content of a file that `make` writes."""
    directory.mkdir(exist_ok=True)
    make(directory / "file")
    return (directory / "file").read_bytes()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_bytes(b"text"), "is of unknown format, not a PNG or JPEG"),
        (disguised("gif"), "is a GIF file"),
        (animated, "is animated"),
        (lambda path: path.write_bytes(encoded(photos()[0])[:-99]), r"cannot be decoded \(.*trunc"),
        (
            lambda path: path.write_bytes(encoded(photos()[0][:15])),
            r"is 30x15 pixels, smaller than",
        ),
    ],
)
def test_images_that_cannot_be_read(
    make: Callable[[Path], object], message: str, tmp_path: Path
) -> None:
    files = [made(make, tmp_path / "made"), encoded(photos()[0])]
    store(tmp_path, "photos", {"train": files, "test": files}, COLOURED)
    found = r"image [01] of split 'train' of TFDS data set 'photos' in .*"
    with pytest.raises(UserError, match=found + message) as error:
        TFDS("photos", 16, dir=str(tmp_path)).load()
    assert "\n" not in str(error.value)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tfds")
    digits = tfds_images(GREY, 4)
    store(directory, "digits", {"train": digits, "test": digits}, GREY)
    store(directory, "scans", {"train": digits, "test": digits}, GREY, feature="scan")
    return directory


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "faces"}, r"config\.data\.dir = .* contains no prepared TFDS data set 'faces'"),
        ({"name": "digits/large"}, r"contains no prepared TFDS data set 'digits/large'"),
        ({"name": "scans"}, "has no feature 'image' of 8-bit images, but id, label, scan: choose"),
        (
            {"train_split": "every"},
            r"tfds\.train_split = 'every': .* its splits are t\w+, t\w+, parts",
        ),
        ({"test_split": "test[:1%]"}, r"config\.data\.tfds\.test_split = 'test\[:1%\]': TFDS data"),
        ({"test_split": "test["}, r"config\.data\.tfds\.test_split = 'test\[': TFDS data"),
        ({"image_size": 32}, r"is 28x28 pixels, smaller than config\.data\.image_size = 32"),
    ],
)
def test_sets_that_do_not_fit(fields: dict[str, Any], message: str, stored: Path) -> None:
    given = {"name": "digits", "image_size": 16, "channels": 1, "dir": str(stored)} | fields
    with pytest.raises(UserError, match=message) as error:
        TFDS(**given).load()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "tdfs:digits",
            r"config\.data\.name = 'tdfs:digits': choose 'cifar10', .*'tfds:NAME', 'tw",
        ),
        ("tfds", r"'tfds:NAME'"),
        ("tfds:", r"'tfds:NAME'"),
        ("cifar10:new", r"'tfds:NAME'"),
        (
            "tfds:../digits",
            r"config\.data \(tfds:\.\./digits\): '\.\./digits' is no name of a TFDS",
        ),
        ("tfds:digits/..", "is no name of a TFDS"),
        ("tfds:digits*", "is no name of a TFDS"),
    ],
)
def test_misspelt_names(name: str, message: str, tiny: Tiny) -> None:
    with pytest.raises(UserError, match=message):
        tiny(data__name=name)


def test_unknown_names_get_a_suggestion(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(UserError, match=r"'mnits' is unknown to TFDS: did you mean 'mnist'"):
        TFDS("mnits", 16).load()
    assert not list(tmp_path.iterdir())
