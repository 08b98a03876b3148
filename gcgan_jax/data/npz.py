"""Images from a NumPy .npz file.

The file is not trusted: nothing is unpickled, and every size that it states is compared with the
file's own before anything is allocated.
"""

import math
import os
import struct
import zipfile
from dataclasses import dataclass
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import Annotated

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from numpy.lib import format as npy

from gcgan_jax.data.images import Images
from gcgan_jax.errors import UserError
from gcgan_jax.paths import local_path
from gcgan_jax.ranges import LocalPath
from gcgan_jax.regular_files import open_regular

FIELD = "config.data.npz.file"
REMEDY = (
    f"set --{FIELD}=FILE to a file written by np.savez(FILE, train=…, test=…), both uint8 "
    "[n, S, S, F] with S = config.data.image_size and F = config.data.channels"
)
MAX_REASON = 120  # characters of a message
CHUNK = 2**20  # bytes read at a time
LOCAL_HEADER = struct.Struct("<26xHH")  # of a file in an archive: lengths of name and extra field


@dataclass(frozen=True)
class NPZ:
    """The data set of images in a .npz file; see `read_npz`.

    Attributes:
        mapped: whether images stay in the file, which must then not change, see `read_npz`.
        file: path of the file, which is needed only to load the images.
    """

    image_size: int
    channels: int = 3
    mapped: bool = False
    file: Annotated[str | None, LocalPath()] = None

    def load(self) -> Images:
        if not self.file:
            raise UserError(f"{FIELD} is not set: {REMEDY}")
        path = local_path(self.file, FIELD)
        return read_npz(path, self.image_size, self.channels, mapped=self.mapped)


def read_npz(path: Path, image_size: int, channels: int = 3, *, mapped: bool = False) -> Images:
    """Read the arrays `train` and `test`, as np.savez writes them; others are ignored.

    Args:
        mapped: whether to map the file into memory, which need not hold all images, after the
            checksums have been compared.

    Raises:
        UserError: the file does not exist or is corrupted or compressed, an array is missing, empty
            or not uint8 [n, image_size, image_size, channels], or they do not fit into memory.
    """
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            shape, available = (image_size, image_size, channels), os.fstat(file.fileno()).st_size
            for split in Images._fields:
                _check(archive, split, shape, available)
            read = partial(_map, file) if mapped else _read
            return Images(*(read(archive, split) for split in Images._fields))
    except UserError:
        raise
    except MemoryError:
        raise UserError(f"{path} does not fit into memory: store fewer images in it") from None
    except Exception as error:  # a corrupted file may raise any type
        reason = error.strerror if isinstance(error, OSError) else str(error)
        shown = (reason or type(error).__name__)[:MAX_REASON]
        raise UserError(f"{path} cannot be read ({shown}): {REMEDY}") from None


def _check(
    archive: zipfile.ZipFile, split: str, image: tuple[int, int, int], available: int
) -> None:
    """Raise ValueError unless an array's header describes images that the file can hold.

    Args:
        image: shape of an image.
        available: bytes in the file.
    """
    name = _member(split)
    if name not in archive.namelist():
        raise ValueError(f"it has no array {split!r}")
    entry = archive.getinfo(name)
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{split!r} is compressed")
    with archive.open(entry) as member:
        version = npy.read_magic(member)
        if version != (1, 0):
            raise ValueError(f"{split!r} has version {version} of the .npy format")
        shape, _, dtype = npy.read_array_header_1_0(member)
        start = member.tell()
    if dtype != np.uint8 or shape[1:] != image or shape[0] < 1:
        expected = f"uint8 (n, {', '.join(map(str, image))})"
        raise ValueError(f"{split!r} is {dtype} of shape {shape}, expected {expected}")
    if start + math.prod(shape) != entry.file_size or entry.file_size > available:
        raise ValueError(f"the header of {split!r} states a size that it does not have")


def _read(archive: zipfile.ZipFile, split: str) -> UInt8[ndarray, "n H H F"]:
    """Read a checked array to its end, at which zipfile compares its checksum."""
    with archive.open(_member(split)) as member:
        return npy.read_array(member, allow_pickle=False)


def _map(file: BufferedReader, archive: zipfile.ZipFile, split: str) -> UInt8[ndarray, "n H H F"]:
    """Map a checked array, after reading it once so that zipfile compares its checksum."""
    with archive.open(_member(split)) as member:
        npy.read_magic(member)
        shape, fortran_order, _ = npy.read_array_header_1_0(member)
        start = member.tell()
        while member.read(CHUNK):
            pass
    file.seek(archive.getinfo(_member(split)).header_offset)
    name, extra = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
    return np.memmap(
        file,
        np.uint8,
        "r",
        file.tell() + name + extra + start,
        shape,
        "F" if fortran_order else "C",
    )


def _member(split: str) -> str:
    return f"{split}.npy"
