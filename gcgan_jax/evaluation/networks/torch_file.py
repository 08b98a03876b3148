"""Reads tensors from a torch.save file, without torch and without executing code of the pickle.

Every size in the file is compared with the file's own before anything is allocated.
"""

import math
import zipfile
from io import BytesIO
from typing import Any

import numpy as np

from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.networks.torch_pickle import Storage, Tensor, load_pickle

MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of a file in the legacy (non-zip) layout
MAX_REASON = 120  # characters of a message


def read_torch(content: bytes, name: str) -> dict[str, np.ndarray]:
    """Read the tensors of a saved state dict by name, ignoring other entries.

    Args:
        content: the content of the file.
        name: name of the file, for messages.

    Raises:
        UserError: the file is corrupted, or contains more than tensors and dicts.
    """
    try:
        file = BytesIO(content)
        read = _read_zip if zipfile.is_zipfile(file) else _read_legacy
        file.seek(0)
        state_dict, data = read(file, len(content))
        if not isinstance(state_dict, dict):
            raise ValueError("it is not a dict of tensors")
        tensors = {key: value for key, value in state_dict.items() if isinstance(value, Tensor)}
        if sum(map(_size, tensors.values())) > len(content):
            raise ValueError("its tensors are larger than the file")
        return {key: _tensor(value, data) for key, value in tensors.items()}
    except Exception as error:  # a corrupted file may raise any type
        known = isinstance(error, ValueError | zipfile.BadZipFile)
        reason = str(error)[:MAX_REASON] if known else "it is corrupted"
        raise UserError(
            f"{name} cannot be read as weights saved by torch ({reason}): replace it"
        ) from error


def _size(tensor: Tensor) -> int:
    """Return the number of bytes of a tensor.

    Raises:
        ValueError: it exceeds its storage, or repeats elements.
    """
    storage = tensor.storage
    last = tensor.offset + sum(
        (n - 1) * stride for n, stride in zip(tensor.shape, tensor.strides, strict=True)
    )
    count = math.prod(tensor.shape)
    if count and last >= storage.size:
        raise ValueError("a tensor exceeds its storage")
    if count > storage.size:
        raise ValueError("a tensor repeats elements of its storage")
    return count * np.dtype(storage.dtype).itemsize


def _tensor(tensor: Tensor, data: dict[str, bytes]) -> np.ndarray:
    storage = tensor.storage
    if 0 in tensor.shape:
        return np.empty(tensor.shape, storage.dtype)
    values = np.frombuffer(data[storage.key], np.dtype(storage.dtype).newbyteorder("<"))
    strides = [stride * values.itemsize for stride in tensor.strides]
    view = np.lib.stride_tricks.as_strided(values[tensor.offset :], tensor.shape, strides)
    return view.astype(storage.dtype)


def _read_zip(file: BytesIO, size: int) -> tuple[Any, dict[str, bytes]]:
    """Read the layout of torch 1.6 and later: <name>/data.pkl and <name>/data/<key>."""
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise ValueError("it is compressed, which torch.save never does")
        if any(entry.file_size != entry.compress_size for entry in entries) or size < sum(
            entry.file_size for entry in entries
        ):
            raise ValueError("its entries are larger than the file")
        sizes = {entry.filename: entry.file_size for entry in entries}
        pickled = next((name for name in sizes if name.endswith("/data.pkl")), None)
        if pickled is None:
            raise ValueError("it has no data.pkl")
        root = pickled.removesuffix("data.pkl")
        if f"{root}byteorder" in sizes and archive.read(f"{root}byteorder") != b"little":
            raise ValueError("it was written on a big-endian machine")
        storages: dict[str, Storage] = {}
        state_dict, data = load_pickle(BytesIO(archive.read(pickled)), storages), {}
        for key, storage in storages.items():
            if sizes.get(f"{root}data/{key}") != storage.bytes:
                raise ValueError("a storage is missing or has another size")
            data[key] = archive.read(f"{root}data/{key}")
    return state_dict, data


def _read_legacy(file: BytesIO, size: int) -> tuple[Any, dict[str, bytes]]:
    """Read the layout before torch 1.6.

    It has five pickles (the fourth is the dict), then size and bytes of each storage.
    """
    if load_pickle(file) != MAGIC:
        raise ValueError("it does not start with the magic number")
    _version, system = load_pickle(file), load_pickle(file)
    if not system["little_endian"]:
        raise ValueError("it was written on a big-endian machine")
    storages: dict[str, Storage] = {}
    state_dict, data = load_pickle(file, storages), {}
    for key in load_pickle(file):
        count = int.from_bytes(file.read(8), "little")
        if key not in storages or count != storages[key].size:
            raise ValueError("a storage is unknown or has another size")
        if storages[key].bytes > size - file.tell():
            raise ValueError("it is truncated")
        data[key] = file.read(storages[key].bytes)
    return state_dict, data
