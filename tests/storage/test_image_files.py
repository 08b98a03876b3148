"""Image grids."""

from pathlib import Path

import numpy as np
from PIL import Image

from gcgan_jax.storage.image_files import image_grid, write_png


def test_grid_is_filled_row_by_row(tmp_path: Path) -> None:
    images = np.arange(1, 6, dtype=np.uint8)[:, None, None, None] * np.ones((5, 4, 3, 3), np.uint8)
    grid = image_grid(images, gap=1)
    assert grid.shape == (2 * 4 + 1, 3 * 3 + 2, 3)
    for n, (row, column) in enumerate([(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]):
        np.testing.assert_array_equal(grid[5 * row :, 4 * column :][:4, :3], images[n])
    assert (grid[:, 3] == 128).all()
    write_png(tmp_path / "samples" / "grid.png", grid)
    np.testing.assert_array_equal(Image.open(tmp_path / "samples" / "grid.png"), grid)
