"""Data sets: valid, missing and corrupted."""

import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from gcgan_jax.data.npz import read_npz
from gcgan_jax.data.tfds import load_cifar10, load_labelled_cifar10
from gcgan_jax.errors import UserError
from scripts import cifar10_npz
from tests.conftest import Tiny
from tests.reliability.invalid_input_cases.data import (
    cut_record,
    empty_split,
    flipped_record,
    tfds,
    tfds_images,
)


def test_twins_depend_on_seed_and_split(tiny: Tiny) -> None:
    images, same_seed, other_seed = (tiny(seed=seed).load_images() for seed in (0, 0, 1))
    assert images.train.shape == (16, 16, 16, 3)
    assert images.test.shape == (8, 16, 16, 3)
    np.testing.assert_array_equal(images.train, same_seed.train)
    assert (images.train != other_seed.train).any()
    assert (images.train[:8] != images.test).any()


def test_cifar10_through_tfds(tmp_path: Path) -> None:
    stored = tfds_images((32, 32, 3), 5)
    tfds(train=3, test=2)(tmp_path)
    images = load_cifar10(str(tmp_path))
    assert images.train.dtype == np.uint8
    for actual, expected in ((images.train, stored[:3]), (images.test, stored[3:])):
        assert {image.tobytes() for image in actual} == {image.tobytes() for image in expected}


def test_classes_of_cifar10(tmp_path: Path) -> None:
    stored = [image.tobytes() for image in tfds_images((32, 32, 3), 9)]
    tfds(train=6, test=3, classes=(7, 0, 4))(tmp_path)
    for images, labels in zip(*load_labelled_cifar10(str(tmp_path)), strict=True):
        numbers = [stored.index(image.tobytes()) for image in images]
        assert labels.tolist() == [(7, 0, 4)[number % 3] for number in numbers]


def test_cifar10_as_npz(tmp_path: Path) -> None:
    tfds(train=3, test=2)(tmp_path)
    flags = [f"--data={tmp_path}", f"--output={tmp_path / 'cifar10.npz'}"]
    cifar10_npz.main(flags)
    written, expected = read_npz(tmp_path / "cifar10.npz", 32), load_cifar10(str(tmp_path))
    np.testing.assert_array_equal(written.train, expected.train)
    np.testing.assert_array_equal(written.test, expected.test)
    with pytest.raises(SystemExit, match=r"cifar10_npz: .* '/nowhere' contains no"):
        cifar10_npz.main(["--data=/nowhere", *flags[1:]])


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (tfds((28, 28, 3), 2, 2), r"'train' is uint8 of shape \(2, 28, 28, 3\), expected uint8"),
        (tfds((32, 32, 1), 2, 2), r"\(2, 32, 32, 1\)"),
        (tfds((32, 32, 4), 2, 2), r"\(2, 32, 32, 4\)"),
        (empty_split, "test.* corresponds to no data"),
        (flipped_record, "corrupted record at"),
        (cut_record, "truncated record at"),
    ],
)
def test_invalid_data_are_rejected(
    prepare: Callable[[Path], object], message: str, tmp_path: Path
) -> None:
    prepare(tmp_path)
    with pytest.raises(UserError, match=message) as error:
        load_cifar10(str(tmp_path))
    assert "\n" not in str(error.value) and "{{" not in str(error.value)


def test_corrupted_metadata_are_rejected_in_one_line(tmp_path: Path) -> None:
    (tfds(train=2, test=2)(tmp_path).parent / "dataset_info.json").write_text("{")
    with pytest.raises(UserError, match=r"cannot be read .* --config\.data\.dir") as error:
        load_cifar10(str(tmp_path))
    assert "\n" not in str(error.value)


def test_nothing_is_downloaded_to_a_configured_directory(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"contains no prepared TFDS data set .*--config\.data\."):
        load_cifar10(str(tmp_path))
    assert not list(tmp_path.iterdir())


@pytest.fixture
def no_network() -> Iterator[None]:
    """Send all requests to a proxy that does not exist."""
    proxy = urllib.request.ProxyHandler({"https": "http://127.0.0.1:9"})
    urllib.request.install_opener(urllib.request.build_opener(proxy))
    yield
    urllib.request.install_opener(None)


@pytest.mark.usefixtures("no_network")
def test_missing_network_error_names_both_remedies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(UserError, match=r"--config\.data\.dir=DIR.*configs/quickstart\.py"):
        load_cifar10(None)
