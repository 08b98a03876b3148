"""Files of torch.save: both layouts are read, and no code in them is executed.

zip.pth and legacy.pth were written by torch (scripts/evaluation/against_torch_fidelity.py).
"""

import io
import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.networks.torch_file import read_torch

HERE = Path(__file__).parent


@pytest.mark.parametrize("layout", ["zip", "legacy"])
def test_tensors_of_a_state_dict(layout: str) -> None:
    actual = read_torch(HERE / f"{layout}.pth")
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


@pytest.mark.parametrize("layout", ["pickle", "zip"])
def test_no_code_is_executed(layout: str, tmp_path: Path) -> None:
    marker, path = tmp_path / "executed", tmp_path / "weights.pth"
    malicious = pickle.dumps(OrderedDict(weight=Command(marker)))
    if layout == "pickle":
        path.write_bytes(malicious)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", malicious)
    with pytest.raises(
        UserError, match=r"weights\.pth cannot be read .* refers to posix\.system, which"
    ):
        read_torch(path)
    assert not marker.exists()


def truncate(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def enlarge(data: bytes) -> bytes:
    """Let a tensor claim more rows than are stored."""
    return data.replace(b"K\x04K\x06\x86", b"K\xf0K\x06\x86")


@pytest.mark.parametrize("layout", ["zip", "legacy"])
@pytest.mark.parametrize(
    "corrupt", [truncate, enlarge, lambda _: b"", lambda _: b"PK\x03\x04no zip"]
)
def test_corrupted_files_are_rejected(
    layout: str, corrupt: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(corrupt((HERE / f"{layout}.pth").read_bytes()))
    with pytest.raises(UserError, match=r"weights\.pth cannot be read"):
        read_torch(path)


def test_other_content_and_missing_files_are_rejected(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps([1, 2]))
    path.write_bytes(buffer.getvalue())
    with pytest.raises(UserError, match="is not a dict of tensors"):
        read_torch(path)
    with pytest.raises(UserError, match="no such file"):
        read_torch(tmp_path / "absent.pth")
