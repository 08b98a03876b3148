"""Reads tensors from a torch.save file, without torch and without executing code of the pickle.

A pickle may name any function for the reader to call. Here it may only name an ordered dict,
storage types, and torch's two functions that build tensors and parameters, replaced by ours.
"""

import pickle
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from gcgan_jax.errors import UserError

MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of a file in the legacy (non-zip) layout
DTYPES = {
    "FloatStorage": np.float32,
    "DoubleStorage": np.float64,
    "HalfStorage": np.float16,
    "LongStorage": np.int64,
    "IntStorage": np.int32,
    "ShortStorage": np.int16,
    "CharStorage": np.int8,
    "ByteStorage": np.uint8,
    "BoolStorage": np.bool_,
}


@dataclass(frozen=True)
class Storage:
    """A one-dimensional block of `size` elements, to which tensors refer."""

    key: str
    dtype: type
    size: int


@dataclass(frozen=True)
class Tensor:
    """A view of a storage that is not loaded yet; offset and strides count elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def read(self, data: bytes) -> np.ndarray:
        """Return the tensor, given the bytes of its storage."""
        values = np.frombuffer(data, np.dtype(self.storage.dtype).newbyteorder("<"))
        last = self.offset + sum((n - 1) * s for n, s in zip(self.shape, self.strides, strict=True))
        layout = (self.offset, *self.shape, *self.strides)
        if min(layout) < 0 or (0 not in self.shape and last >= len(values)):
            raise ValueError("a tensor exceeds its storage")
        if 0 in self.shape:
            return np.empty(self.shape, self.storage.dtype)
        strides = [s * values.itemsize for s in self.strides]
        view = np.lib.stride_tricks.as_strided(values[self.offset :], self.shape, strides)
        return view.astype(self.storage.dtype)


def read_torch(path: Path) -> dict[str, np.ndarray]:
    """Read the tensors of a saved state dict by name, ignoring other entries.

    Raises:
        UserError: the file is missing, corrupted, or contains more than tensors and dicts.
    """
    try:
        with path.open("rb") as file:
            read = _read_zip if zipfile.is_zipfile(file) else _read_legacy
            file.seek(0)
            state_dict, data = read(file)
        if not isinstance(state_dict, dict):
            raise ValueError("it is not a dict of tensors")
        tensors = {name: value for name, value in state_dict.items() if isinstance(value, Tensor)}
        return {name: value.read(data[value.storage.key]) for name, value in tensors.items()}
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except OSError:
        raise
    except Exception as error:  # a corrupted pickle may raise any type
        raise UserError(
            f"{path} cannot be read as weights saved by torch ({error}): replace it"
        ) from error


class _Unpickler(pickle.Unpickler):
    """Accepts only the names that a dict of tensors needs."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.storages: dict[str, Storage] = {}  # all storages in the pickle

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return _parameter
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        raise ValueError(f"it refers to {module}.{name}, which is not allowed")

    def persistent_load(self, pid: Any) -> Storage:
        kind, dtype, key, _, size, *view = pid
        if kind != "storage" or dtype not in DTYPES.values() or any(view):
            raise ValueError(f"unknown kind of storage {kind!r}")
        return self.storages.setdefault(str(key), Storage(str(key), dtype, int(size)))


def _tensor(storage: Storage, offset: int, shape: Any, strides: Any, *_: Any) -> Tensor:
    return Tensor(storage, int(offset), tuple(map(int, shape)), tuple(map(int, strides)))


def _parameter(tensor: Tensor, *_: Any) -> Tensor:
    return tensor


def _read_zip(file: BinaryIO) -> tuple[Any, dict[str, bytes]]:
    """Read the layout of torch 1.6 and later: <name>/data.pkl and <name>/data/<key>."""
    with zipfile.ZipFile(file) as archive:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            raise ValueError("it is compressed, which torch.save never does")
        names = archive.namelist()
        (pickled,) = (name for name in names if name.endswith("/data.pkl"))
        root = pickled.removesuffix("data.pkl")
        if f"{root}byteorder" in names and archive.read(f"{root}byteorder") != b"little":
            raise ValueError("it was written on a big-endian machine")
        state_dict = _Unpickler(BytesIO(archive.read(pickled))).load()
        prefix = f"{root}data/"
        data = {n.removeprefix(prefix): archive.read(n) for n in names if n.startswith(prefix)}
    return state_dict, data


def _read_legacy(file: BinaryIO) -> tuple[Any, dict[str, bytes]]:
    """Read the layout before torch 1.6.

    It has five pickles (the fourth is the dict), then size and bytes of each storage.
    """
    if _Unpickler(file).load() != MAGIC:
        raise ValueError("it does not start with the magic number")
    _version, system = _Unpickler(file).load(), _Unpickler(file).load()
    if not system["little_endian"]:
        raise ValueError("it was written on a big-endian machine")
    unpickler = _Unpickler(file)
    state_dict = unpickler.load()
    data = {}
    for key in _Unpickler(file).load():
        size = int.from_bytes(_read_exactly(file, 8), "little")
        data[key] = _read_exactly(file, size * np.dtype(unpickler.storages[key].dtype).itemsize)
    return state_dict, data


def _read_exactly(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise ValueError("it is truncated")
    return data
