"""Files of torch.save: both layouts are read, nothing in them is run.

zip.pth and legacy.pth were written by torch itself (scripts/evaluation/against_torch_fidelity.py).
"""

import io
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.networks.torch_file import read_torch

HERE = Path(__file__).parent


@pytest.mark.parametrize("layout", ["zip", "legacy"])
def test_tensors_of_a_state_dict(layout: str) -> None:
    found = read_torch(HERE / f"{layout}.pth")
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
    assert found.keys() == expected.keys() | {"weight", "bias"}
    for name, value in expected.items():
        assert found[name].dtype == value.dtype
        np.testing.assert_array_equal(found[name], value)


class Runs:
    """Pickled, it asks for a command to be run."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("layout", ["pickle", "zip"])
def test_nothing_is_run(layout: str, tmp_path: Path) -> None:
    marker, path = tmp_path / "ran", tmp_path / "weights.pth"
    hostile = pickle.dumps(OrderedDict(weight=Runs(marker)))
    if layout == "pickle":
        path.write_bytes(hostile)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", hostile)
    with pytest.raises(
        UserError, match=r"weights\.pth cannot be read .* asks for posix\.system, which"
    ):
        read_torch(path)
    assert not marker.exists()


def cut(stored: bytes) -> bytes:
    return stored[: len(stored) * 2 // 3]


def grown(stored: bytes) -> bytes:
    """With a tensor that claims more rows than are stored."""
    return stored.replace(b"K\x04K\x06\x86", b"K\xf0K\x06\x86")


@pytest.mark.parametrize("layout", ["zip", "legacy"])
@pytest.mark.parametrize("harm", [cut, grown, lambda _: b"", lambda _: b"PK\x03\x04no zip"])
def test_damage_is_told(layout: str, harm: object, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    stored = (HERE / f"{layout}.pth").read_bytes()
    path.write_bytes(harm(stored))
    with pytest.raises(UserError, match=r"weights\.pth cannot be read"):
        read_torch(path)


def test_what_is_no_dict_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps([1, 2]))
    path.write_bytes(buffer.getvalue())
    with pytest.raises(UserError, match="no dict of tensors"):
        read_torch(path)
    with pytest.raises(UserError, match="no such file"):
        read_torch(tmp_path / "absent.pth")
