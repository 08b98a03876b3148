"""Data sets as they come, and as they do not."""

import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from gcgan_jax.data.tfds import load_cifar10
from gcgan_jax.errors import UserError
from tests.conftest import Tiny
from tests.reliability.invalid_input_cases import (
    cut_record,
    empty_split,
    flipped_record,
    tfds,
    tfds_images,
)


def test_twins_follow_the_seed_and_split(tiny: Tiny) -> None:
    images, again, others = (tiny(seed=seed).load_images() for seed in (0, 0, 1))
    assert images.train.shape == (16, 16, 16, 3)
    assert images.test.shape == (8, 16, 16, 3)
    np.testing.assert_array_equal(images.train, again.train)
    assert (images.train != others.train).any()
    assert (images.train[:8] != images.test).any()


def prepare(directory: Path, info: str) -> None:
    folder = directory / "cifar10" / "3.0.2"
    folder.mkdir(parents=True)
    (folder / "dataset_info.json").write_text(info)


def test_cifar10_through_tfds(tmp_path: Path) -> None:
    stored = tfds_images((32, 32, 3), 5)
    tfds(train=3, test=2)(tmp_path)
    images = load_cifar10(str(tmp_path))
    assert images.train.dtype == np.uint8
    for found, wanted in ((images.train, stored[:3]), (images.test, stored[3:])):
        assert {image.tobytes() for image in found} == {image.tobytes() for image in wanted}


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (tfds((28, 28, 3), 2, 2), r"'train' is uint8 of shape \(2, 28, 28, 3\), expected uint8"),
        (tfds((32, 32, 1), 2, 2), r"\(2, 32, 32, 1\)"),
        (tfds((32, 32, 4), 2, 2), r"\(2, 32, 32, 4\)"),
        (empty_split, "test.* corresponds to no data"),
        (flipped_record, "corrupted record at"),
        (cut_record, "truncated record at"),
    ],
)
def test_data_that_is_not_cifar10(
    make: Callable[[Path], object], told: str, tmp_path: Path
) -> None:
    make(tmp_path)
    with pytest.raises(UserError, match=told) as error:
        load_cifar10(str(tmp_path))
    assert "\n" not in str(error.value) and "{{" not in str(error.value)


def test_a_damaged_directory_is_one_line(tmp_path: Path) -> None:
    prepare(tmp_path, "{")
    with pytest.raises(UserError, match=r"cannot be read .* --config\.data\.dir") as error:
        load_cifar10(str(tmp_path))
    assert "\n" not in str(error.value)


def test_a_directory_without_data_is_not_downloaded_to(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no prepared TFDS data set .*--config\.data\.dir"):
        load_cifar10(str(tmp_path))
    assert not list(tmp_path.iterdir())


@pytest.fixture
def no_network() -> Iterator[None]:
    """All requests go to a proxy that does not exist."""
    proxy = urllib.request.ProxyHandler({"https": "http://127.0.0.1:9"})
    urllib.request.install_opener(urllib.request.build_opener(proxy))
    yield
    urllib.request.install_opener(None)


@pytest.mark.usefixtures("no_network")
def test_no_network_names_both_remedies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(UserError, match=r"--config\.data\.dir=DIR.*configs/quickstart\.py"):
        load_cifar10(None)
