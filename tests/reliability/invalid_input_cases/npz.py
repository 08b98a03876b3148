"""Missing, corrupted and foreign .npz files of images."""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from tests.reliability.invalid_input_cases.case import ECC, Case

NAME = "images.npz"


def images(count: int, side: int = 32, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, side, side, channels), np.uint8)


def saved(**arrays: Any) -> Callable[[Path], Path]:
    """Return a function that writes a .npz file of images, with some arrays replaced.

    That function takes a directory and returns the file's path; None leaves an array out.
    """

    def make(directory: Path) -> Path:
        wanted = {"train": images(64), "test": images(16)} | arrays
        path = directory / NAME
        np.savez(path, **{name: a for name, a in wanted.items() if a is not None})
        return path

    return make


def compressed(directory: Path) -> None:
    np.savez_compressed(directory / NAME, train=images(64), test=images(16))


def cut_off(directory: Path) -> None:
    path = saved()(directory)
    path.write_bytes(path.read_bytes()[:-100])


def flipped(directory: Path) -> None:
    path = saved()(directory)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def text(directory: Path) -> None:
    (directory / NAME).write_text("train, test")


def single_array(directory: Path) -> None:
    with (directory / NAME).open("wb") as file:
        np.save(file, images(64))


def foreign_entry(directory: Path) -> None:
    with zipfile.ZipFile(directory / NAME, "w") as archive:
        archive.writestr("train.npy", b"no array")


def stating(
    shape: tuple[int, ...], compression: int = zipfile.ZIP_STORED
) -> Callable[[Path], None]:
    """Return a function that writes arrays of a few bytes whose headers state a shape."""

    def make(directory: Path) -> None:
        with zipfile.ZipFile(directory / NAME, "w", compression) as archive:
            for split in ("train", "test"):
                with archive.open(f"{split}.npy", "w") as member:
                    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
                    npy.write_array_header_1_0(member, header)
                    member.write(bytes(10_000))

    return make


def overstated_entry(directory: Path) -> None:
    """Let headers and directory of the archive agree on a size that the file does not have."""
    size = 2**29 * 3072 + 128
    stating((2**29, 32, 32, 3))(directory)
    path = directory / NAME
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    with zipfile.ZipFile(path, "a") as archive:
        for entry in entries:
            archive.NameToInfo[entry.filename].file_size = size
        archive._didModify = True  # writes the directory again


OBJECTS = np.full(64, {"label": 0}, object)
TRAIN = f"{ECC} --config.data.name=npz --workdir={{dir}}/run"
FROM_FILE = f"{TRAIN} --config.data.npz.file={{dir}}/{NAME}"

NPZ = (
    Case("no .npz file given", TRAIN),
    Case(".npz file in a bucket", f"{TRAIN} --config.data.npz.file=gs://bucket/{NAME}"),
    Case(".npz file that does not exist", FROM_FILE),
    Case("directory as .npz file", FROM_FILE, lambda directory: os.mkdir(directory / NAME)),
    Case("pipe as .npz file", FROM_FILE, lambda directory: os.mkfifo(directory / NAME)),
    Case("text as .npz file", FROM_FILE, text),
    Case(".npy file as .npz file", FROM_FILE, single_array),
    Case(".npz file cut off", FROM_FILE, cut_off),
    Case("byte of a .npz file flipped", FROM_FILE, flipped),
    Case(".npz file with a foreign entry", FROM_FILE, foreign_entry),
    Case("compressed .npz file", FROM_FILE, compressed),
    Case(".npz file without held-out images", FROM_FILE, saved(test=None)),
    Case("objects in a .npz file", FROM_FILE, saved(train=OBJECTS)),
    Case("floats in a .npz file", FROM_FILE, saved(train=images(64) / 255)),
    Case("images of another size in a .npz file", FROM_FILE, saved(test=images(16, side=28))),
    Case("grey images in a .npz file", FROM_FILE, saved(train=images(64, channels=1))),
    Case("empty split in a .npz file", FROM_FILE, saved(test=images(0))),
    Case(".npz file that states too large an array", FROM_FILE, stating((2**40, 32, 32, 3))),
    Case(".npz file that states too large an entry", FROM_FILE, overstated_entry),
    Case("fewer images in a .npz file than the batch", FROM_FILE, saved(train=images(8))),
)
