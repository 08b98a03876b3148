"""Sample grids as PNG files."""

import math
from pathlib import Path

import numpy as np
from PIL import Image

from gcgan_jax.files import write_atomically


def image_grid(images: np.ndarray, gap: int = 2) -> np.ndarray:
    """uint8 [n, H, W, 3] -> one picture, about square, filled row by row on black."""
    n, H, W, F = images.shape
    columns = math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    cells = np.zeros((rows * columns, H + gap, W + gap, F), np.uint8)
    cells[:n, :H, :W] = images
    cells = cells.reshape(rows, columns, H + gap, W + gap, F).transpose(0, 2, 1, 3, 4)
    return cells.reshape(rows * (H + gap), columns * (W + gap), F)[:-gap, :-gap]


def write_png(path: Path, picture: np.ndarray) -> None:
    """Writes uint8 [H, W, 3] whole or not at all."""
    write_atomically(path, lambda file: Image.fromarray(picture).save(file, format="png"))
