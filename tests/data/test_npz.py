"""Images from .npz files: valid, missing, corrupted and malicious."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gcgan_jax.data.npz import read_npz
from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.reference_statistics import digest_of
from tests.conftest import Tiny
from tests.reliability.invalid_input_cases.npz import (
    NAME,
    OBJECTS,
    compressed,
    cut_off,
    flipped,
    foreign_entry,
    images,
    overstated_entry,
    saved,
    stating,
)


def test_arrays_are_read_in_either_order_of_memory_beside_others(tmp_path: Path) -> None:
    train, labels = np.asfortranarray(images(5)), np.full(5, "cat")
    stored = read_npz(saved(train=train, test=images(2), labels=labels)(tmp_path), 32)
    np.testing.assert_array_equal(stored.train, images(5))
    np.testing.assert_array_equal(stored.test, images(2))


def test_mapped_arrays_are_the_same(tmp_path: Path) -> None:
    arrays = {"train": np.asfortranarray(images(5)), "test": images(2), "labels": np.arange(7)}
    path = saved(**arrays)(tmp_path)
    read, mapped = (read_npz(path, 32, mapped=mapped) for mapped in (False, True))
    for array, expected in zip(mapped, read, strict=True):
        assert isinstance(array, np.memmap)
        np.testing.assert_array_equal(array, expected)
        assert digest_of(array) == digest_of(expected)
    for damage, reason in ((flipped, "Bad CRC-32"), (overstated_entry, "states a size")):
        damage(tmp_path)
        with pytest.raises(UserError, match=reason):
            read_npz(path, 32, mapped=True)


def test_experiments_load_the_file_that_the_config_names(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    saved(train=images(5, side=16), test=images(2, side=16))(tmp_path)
    moved, unset = (tiny(data__name="npz", data__npz__file=f) for f in (f"~/{NAME}", None))
    np.testing.assert_array_equal(moved.load_images().train, images(5, side=16))
    assert moved.run == unset.run  # so that a run may be resumed where the file is elsewhere
    with pytest.raises(UserError, match=r"file is not set: set --config\.data\.npz\.file=FILE"):
        unset.load_images()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda directory: None, "No such file or directory"),
        (lambda directory: (directory / NAME).write_bytes(b""), "not a zip file"),
        (cut_off, "not a zip file"),
        (flipped, r"Bad CRC-32 for file 'train\.npy'"),
        (foreign_entry, "magic string"),
        (compressed, "'train' is compressed"),
        (saved(test=None), "no array 'test'"),
        (saved(train=OBJECTS), r"'train' is object of shape \(64,\), expected uint8 \(n, 32, 32"),
        (saved(train=images(2).astype(np.int8)), "'train' is int8"),
        (saved(train=np.uint8(1)), r"shape \(\)"),
        (saved(test=images(2, side=16)), r"'test' is uint8 of shape \(2, 16, 16, 3\)"),
        (saved(test=images(0)), r"\(0, 32, 32, 3\)"),
        (stating((-1, 32, 32, 3)), r"\(-1, 32, 32, 3\)"),
        (stating((1, 32, 32, 3)), "the header of 'train' states a size"),
    ],
)
def test_invalid_files_are_rejected(
    make: Callable[[Path], object], reason: str, tmp_path: Path
) -> None:
    make(tmp_path)
    with pytest.raises(UserError, match=rf"images\.npz cannot be read \(.*{reason}.*\): set --c"):
        read_npz(tmp_path / NAME, 32)


@pytest.mark.parametrize("make", [stating((2**40, 32, 32, 3)), overstated_entry])
def test_sizes_are_checked_before_anything_is_allocated(
    make: Callable[[Path], object], tmp_path: Path
) -> None:
    make(tmp_path)
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match="the header of 'train' states a size"):
            read_npz(tmp_path / NAME, 32)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
