"""Image files: grids, animations and arrays."""

import math
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from gcgan_jax.storage.atomic import write_atomically

GAP = 2  # pixels between the images of a grid
GREY = 128  # gap colour, as images may have black or white borders


def image_grid(images: np.ndarray, *, columns: int | None = None, gap: int = GAP) -> np.ndarray:
    """Tile uint8 images [n, H, W, F] row by row on grey; roughly square by default."""
    n, H, W, F = images.shape
    columns = columns or math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    cells = np.full((rows * columns, H + gap, W + gap, F), GREY, np.uint8)
    cells[:n, :H, :W] = images
    cells = cells.reshape(rows, columns, H + gap, W + gap, F).transpose(0, 2, 1, 3, 4)
    return cells.reshape(rows * (H + gap), columns * (W + gap), F)[:-gap, :-gap]


def write_png(path: Path, image: np.ndarray) -> None:
    """Write a uint8 image [H, W, 3], or [H, W, 1] of greys, atomically."""
    write_atomically(path, lambda file: _as_pillow(image).save(file, format="png"))


def write_animation(path: Path, frames: np.ndarray, *, scale: int = 4, rate: int = 10) -> None:
    """Write uint8 frames [n, H, W, F] as an enlarged, looping GIF at `rate` frames per second."""
    enlarged = frames.repeat(scale, axis=1).repeat(scale, axis=2)
    first, *rest = map(_as_pillow, enlarged)

    def write(file: BinaryIO) -> None:
        first.save(
            file, format="gif", save_all=True, append_images=rest, duration=1000 / rate, loop=0
        )

    write_atomically(path, write)


def write_npz(path: Path, batches: Iterable[np.ndarray], shape: tuple[int, ...]) -> None:
    """Stream uint8 images of total shape `shape` into the array `arr_0`, as evaluators expect."""

    def write(file: BinaryIO) -> None:
        with (
            zipfile.ZipFile(file, "w") as archive,
            archive.open("arr_0.npy", "w", force_zip64=True) as member,
        ):
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(member, header)
            for batch in batches:
                member.write(batch.tobytes())

    write_atomically(path, write)


def _as_pillow(image: np.ndarray) -> Image.Image:
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
