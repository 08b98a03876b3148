"""Files of torch.save: both layouts are read, and no code in them is executed.

zip.pth and legacy.pth were written by torch (scripts/evaluation/against_torch_fidelity.py).
"""

import io
import os
import pickle
import struct
import time
import tracemalloc
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.networks.torch_file import read_torch

HERE = Path(__file__).parent
NAME = "weights.pth"


def content(layout: str) -> bytes:
    return (HERE / f"{layout}.pth").read_bytes()


def zipped(pickled: bytes, *storages: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        for number, storage in enumerate(storages):
            archive.writestr(f"archive/data/{number}", storage)
    return buffer.getvalue()


@pytest.mark.parametrize("layout", ["zip", "legacy"])
def test_tensors_of_a_state_dict(layout: str) -> None:
    actual = read_torch(content(layout), NAME)
    values = np.arange(24, dtype=np.float32).reshape(4, 6)
    expected = {
        "whole": values,
        "transposed": values.T,
        "part": values[1:3, 2:],
        "half": values.astype(np.float16),
        "double": values.astype(np.float64),
        "count": np.array(7),
        "empty": np.zeros((0, 3), np.float32),
        "parameter": values + 1,
        "flags": np.array([True, False]),
    }
    assert actual.keys() == expected.keys() | {"weight", "bias"}
    for name, value in expected.items():
        assert actual[name].dtype == value.dtype
        np.testing.assert_array_equal(actual[name], value)


class Command:
    """Runs a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("wrap", [bytes, zipped])
@pytest.mark.parametrize("protocol", range(6))
def test_no_code_is_executed(protocol: int, wrap: Callable[[bytes], bytes], tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    malicious = pickle.dumps(OrderedDict(weight=Command(marker)), protocol)
    with pytest.raises(UserError, match=r"weights\.pth cannot be read .* (refers to|contains)"):
        read_torch(wrap(malicious), NAME)
    assert not marker.exists()


STORAGE = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"


def tensor(size: bytes, shape: bytes, strides: bytes) -> bytes:
    """Return a pickle of one tensor, whose numbers are given as opcodes."""
    rebuild = b"ctorch._utils\n_rebuild_tensor_v2\n(" + STORAGE + size + b"tQK\x00"
    return b"\x80\x02}X\x01\x00\x00\x00w" + rebuild + shape + strides + b"\x89}tRs."


def number(value: int) -> bytes:
    return b"\x8a\x08" + value.to_bytes(8, "little", signed=True)


def overlapping(count: int) -> bytes:
    """Return a zip file whose entries all refer to the same megabyte."""
    data = bytearray(zipped(b"}.", *[bytes(1_000_000)] * 2))
    directory = data.index(b"PK\x01\x02")
    entries = bytes(data[directory : data.rindex(b"PK\x05\x06")])
    last = entries[entries.rindex(b"PK\x01\x02") :]
    added = b"".join(last.replace(b"data/1", b"data/%c" % (65 + n)) for n in range(count))
    end = bytearray(data[data.rindex(b"PK\x05\x06") :])
    struct.pack_into("<HHI", end, 8, 3 + count, 3 + count, len(entries) + len(added))
    return bytes(data[:directory]) + entries + added + bytes(end)


HUGE = {
    "memo index": b"\x80\x02Kr\xff\xff\xff\x7f}.",
    "frame": b"\x80\x04\x95" + struct.pack("<Q", 2**33) + b"}.",
    "bytes": b"\x80\x04\x8e" + struct.pack("<Q", 2**33) + b"}.",
    "bytearray": b"\x80\x05\x96" + struct.pack("<Q", 2**33) + b"}.",
    "string": b"\x80\x04\x8d" + struct.pack("<Q", 2**33) + b"}.",
    "integer": b"\x80\x02\x8b" + struct.pack("<I", 2**31 - 1) + b"}.",
    "nested key": b"\x80\x02}K\x01" + b"2\x86" * 60 + b"K\x01s.",
    "nested storage key": b"\x80\x02(X\x07\x00\x00\x00storagectorch\nFloatStorage\nK\x01"
    + b"2\x86" * 60
    + b"NK\x01tQ.",
    "storage": zipped(tensor(number(2**33), number(2**33) + b"\x85", b"K\x01\x85"), bytes(4)),
    "stride 0": zipped(tensor(b"K\x01", number(2**33) + b"\x85", b"K\x00\x85"), bytes(4)),
    "many axes": zipped(tensor(b"K\x01", b"(" + number(2**62) * 999 + b"t", b"(" + b"K\x00" * 999
                                + b"t"), bytes(4)),
    "negative stride": zipped(tensor(b"K\x02", b"K\x02\x85", number(-1) + b"\x85"), bytes(8)),
    "negative size": zipped(tensor(number(-1), b"K\x01\x85", b"K\x01\x85"), bytes(4)),
    "overlapping entries": overlapping(100),
    "legacy size": content("legacy").replace(
        (24).to_bytes(8, "little"), (2**33).to_bytes(8, "little")
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HUGE)
def test_sizes_are_checked_before_anything_is_allocated(case: str) -> None:
    before = time.process_time()
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match=r"weights\.pth cannot be read") as error:
            read_torch(HUGE[case], NAME)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    assert time.process_time() - before < 2
    assert len(str(error.value)) < 300 and "\n" not in str(error.value)


def test_many_views_of_one_storage_may_not_multiply_it() -> None:
    one = b"ctorch._utils\n_rebuild_tensor_v2\n(" + STORAGE + number(100_000) + b"tQK\x00"
    one += number(100_000) + b"\x85K\x01\x85\x89}tR"
    pickled = b"\x80\x02}(" + b"".join(b"K%c" % n + one for n in range(100)) + b"u."
    with pytest.raises(UserError, match="its tensors are larger than the file"):
        read_torch(zipped(pickled, bytes(400_000)), NAME)


def truncate(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def enlarge(data: bytes) -> bytes:
    """Let a tensor claim more rows than are stored."""
    return data.replace(b"K\x04K\x06\x86", b"K\xf0K\x06\x86")


@pytest.mark.parametrize("layout", ["zip", "legacy"])
@pytest.mark.parametrize(
    "corrupt", [truncate, enlarge, lambda _: b"", lambda _: b"PK\x03\x04no zip"]
)
def test_corrupted_files_are_rejected(layout: str, corrupt: Callable[[bytes], bytes]) -> None:
    with pytest.raises(UserError, match=r"weights\.pth cannot be read"):
        read_torch(corrupt(content(layout)), NAME)


@pytest.mark.parametrize("layout", ["zip", "legacy"])
def test_every_flipped_byte_is_read_or_rejected(layout: str) -> None:
    for position in range(0, len(content(layout)), 7):
        data = bytearray(content(layout))
        data[position] ^= 0x55
        try:
            read_torch(bytes(data), NAME)
        except UserError:
            continue


def test_other_content_is_rejected() -> None:
    with pytest.raises(UserError, match="is not a dict of tensors"):
        read_torch(zipped(pickle.dumps([1, 2])), NAME)
    with pytest.raises(UserError, match=r"has no data\.pkl"):
        read_torch(zipped(b"").replace(b"data.pkl", b"data.abc"), NAME)
