"""Images as files: grids and animations, or numbers."""

import math
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from gcgan_jax.storage.atomic import write_atomically

GREY = 128  # between images, which may be black or white at their borders


def image_grid(images: np.ndarray, *, columns: int | None = None, gap: int = 2) -> np.ndarray:
    """uint8 [n, H, W, 3] -> one picture, filled row by row on grey, about square by default."""
    n, H, W, F = images.shape
    columns = columns or math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    cells = np.full((rows * columns, H + gap, W + gap, F), GREY, np.uint8)
    cells[:n, :H, :W] = images
    cells = cells.reshape(rows, columns, H + gap, W + gap, F).transpose(0, 2, 1, 3, 4)
    return cells.reshape(rows * (H + gap), columns * (W + gap), F)[:-gap, :-gap]


def write_png(path: Path, picture: np.ndarray) -> None:
    """Writes uint8 [H, W, 3] whole or not at all."""
    write_atomically(path, lambda file: Image.fromarray(picture).save(file, format="png"))


def write_animation(path: Path, frames: np.ndarray, *, scale: int = 4, rate: int = 10) -> None:
    """Writes uint8 [n, H, W, 3] as an endless GIF, enlarged, `rate` frames a second."""
    large = frames.repeat(scale, axis=1).repeat(scale, axis=2)
    first, *others = map(Image.fromarray, large)

    def write(file: BinaryIO) -> None:
        first.save(
            file, format="gif", save_all=True, append_images=others, duration=1000 / rate, loop=0
        )

    write_atomically(path, write)


def write_npz(path: Path, parts: Iterable[np.ndarray], shape: tuple[int, ...]) -> None:
    """Writes uint8 images of `shape`, a part at a time, as the array `arr_0` that scorers read."""

    def write(file: BinaryIO) -> None:
        with (
            zipfile.ZipFile(file, "w") as archive,
            archive.open("arr_0.npy", "w", force_zip64=True) as member,
        ):
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(member, header)
            for part in parts:
                member.write(part.tobytes())

    write_atomically(path, write)
