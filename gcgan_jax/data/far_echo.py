"""Far echo: procedural images whose right edge repeats their left edge, for 64x64 pixels.

All cells are independent random textures, but for those from column 3/4 H on, which repeat those
from column 0 on, cell by cell: columns 48 to 62 repeat 0 to 14 where H = 64 and t = 5. The distance
of 3/4 H is a whole number of pixels in every feature map, and too far for the critic's windows.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from jaxtyping import Bool, UInt8
from numpy import ndarray

from gcgan_jax.data.cells import (
    REFERENCES,
    Grid,
    agreements,
    draw_cells,
    far_apart,
    full_grid,
    mean_variance,
    require_dims,
    texture_basis,
)
from gcgan_jax.data.procedural import Procedural, blocks, require_images
from gcgan_jax.ranges import Interval


@dataclass(frozen=True)
class FarEcho(Procedural):
    """The data set of far echo images. Invalid fields raise ValueError.

    Attributes:
        tile: side t of a cell in pixels, at most a quarter of image_size. Each quarter at the edge
            holds as many columns of cells as fit, as does what lies between them.
        dims: dimensions D of the textures, at most 3 t^2; 3: flat colours, 3 t^2: white.
    """

    tile: Annotated[int, Interval(1, 64)] = 5
    dims: Annotated[int, Interval(1, 768)] = 12

    def __post_init__(self) -> None:
        if self.tile > self.image_size // 4 or self.image_size % 4:
            raise ValueError(
                f"tile = {self.tile} does not fit into a quarter of image_size = "
                f"{self.image_size}: choose 1 to {self.image_size // 4}, and a multiple of 4 as "
                "image_size"
            )
        require_dims(self.dims, self.tile)

    @property
    def repeated(self) -> int:
        """Number of columns of cells that are repeated."""
        return self.image_size // 4 // self.tile

    @property
    def grid(self) -> Grid:
        t, echo = self.tile, 3 * self.image_size // 4
        left = range(0, echo - t + 1, t)
        right = range(echo, echo + self.repeated * t, t)
        rows = full_grid(self.image_size, t).rows
        return Grid(self.image_size, t, rows, (*left, *right))

    def draw(self, seed: int, count: int) -> UInt8[ndarray, "{count} H H 3"]:
        rng, basis = np.random.default_rng(seed), texture_basis(self.dims, self.tile)
        rows, columns = len(self.grid.rows), len(self.grid.columns)
        images = np.empty((count, self.image_size, self.image_size, 3), np.uint8)
        for block in blocks(count, 3 * self.image_size**2):
            n = len(images[block])
            cells = draw_cells(rng, n, rows * columns, basis).reshape(n, rows, columns, -1)
            cells[:, :, -self.repeated :] = cells[:, :, : self.repeated]
            images[block] = self.grid.join(cells.reshape(n, rows * columns, -1))
        return images

    def structure(self, images: UInt8[ndarray, "n H H 3"]) -> dict[str, float]:
        """Measure `agreements` of the cells at both edges; real images: 1, 0 and D."""
        require_images(images, self.image_size)
        far = far_apart(self.grid.corners, self.image_size)
        return agreements(self.grid.cut(images), self._pairs, far, self._variance)

    @property
    def _pairs(self) -> Bool[ndarray, "K K"]:
        """Cells of the right edge and the cells that they repeat."""
        apart = self.grid.corners[:, None] - self.grid.corners
        return (abs(apart) == (0, 3 * self.image_size // 4)).all(axis=-1)

    @cached_property
    def _variance(self) -> float:
        return mean_variance(self.grid.cut(self.draw(2 * self.seed, REFERENCES)))
