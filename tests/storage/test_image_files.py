"""Image grids."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gcgan_jax.storage.image_files import image_grid, write_png


@pytest.mark.parametrize("channels", [1, 3])
def test_grid_is_filled_row_by_row(channels: int, tmp_path: Path) -> None:
    ones = np.ones((5, 4, 3, channels), np.uint8)
    images = np.arange(1, 6, dtype=np.uint8)[:, None, None, None] * ones
    grid = image_grid(images, gap=1)
    assert grid.shape == (2 * 4 + 1, 3 * 3 + 2, channels)
    for n, (row, column) in enumerate([(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]):
        np.testing.assert_array_equal(grid[5 * row :, 4 * column :][:4, :3], images[n])
    assert (grid[:, 3] == 128).all()
    write_png(tmp_path / "samples" / "grid.png", grid)
    with Image.open(tmp_path / "samples" / "grid.png") as stored:
        assert stored.mode == {1: "L", 3: "RGB"}[channels]
        np.testing.assert_array_equal(np.asarray(stored).reshape(grid.shape), grid)
