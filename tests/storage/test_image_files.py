"""Image grids and atomic writes."""

from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from PIL import Image

from gcgan_jax.storage.atomic import write_atomically
from gcgan_jax.storage.image_files import image_grid, write_png


def test_grid_is_filled_row_by_row(tmp_path: Path) -> None:
    images = np.arange(1, 6, dtype=np.uint8)[:, None, None, None] * np.ones((5, 4, 3, 3), np.uint8)
    grid = image_grid(images, gap=1)
    assert grid.shape == (2 * 4 + 1, 3 * 3 + 2, 3)
    for n, (row, column) in enumerate([(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]):
        np.testing.assert_array_equal(grid[5 * row :, 4 * column :][:4, :3], images[n])
    assert (grid[:, 3] == 128).all()
    write_png(tmp_path / "deep" / "grid.png", grid)
    np.testing.assert_array_equal(Image.open(tmp_path / "deep" / "grid.png"), grid)


def test_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    def fail(file: BinaryIO) -> None:
        file.write(b"n")
        raise OSError(28, "No space left")

    path = tmp_path / "file"
    write_atomically(path, lambda file: file.write(b"old"))
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, fail)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
