"""Palette: procedural images whose cells have random colours about one that is the image's own.

    cell = 0.4 (sqrt(share) normal_image(D) + sqrt(1 - share) normal_cell(D)) @ basis [D, 3 t^2]

Distant cells agree, but all of them, and in their mean alone: a summary of the image is enough, and
no cell repeats another.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from gcgan_jax.data.cells import (
    REFERENCES,
    Grid,
    covariance,
    draw_cells,
    far_apart,
    full_grid,
    mean_variance,
    participation_ratio,
    require_dims,
    texture_basis,
)
from gcgan_jax.data.procedural import Procedural, blocks, require_images
from gcgan_jax.ranges import Interval


@dataclass(frozen=True)
class Palette(Procedural):
    """The data set of palette images. Invalid fields raise ValueError.

    Attributes:
        tile: side t of a cell in pixels, at most a third of image_size; the grid is echo's.
        dims: dimensions D of the textures, at most 3 t^2; 3: flat colours, 3 t^2: white.
        share: share of the variance that all cells of an image have in common.
    """

    tile: Annotated[int, Interval(1, 64)] = 5
    dims: Annotated[int, Interval(1, 768)] = 3
    share: Annotated[float, Interval(0, 1)] = 0.5

    def __post_init__(self) -> None:
        if self.tile > self.image_size // 3:
            raise ValueError(
                f"tile = {self.tile} leaves no cells far apart (image_size = {self.image_size}): "
                f"choose 1 to {self.image_size // 3}"
            )
        require_dims(self.dims, self.tile)

    @property
    def grid(self) -> Grid:
        return full_grid(self.image_size, self.tile)

    def draw(self, seed: int, count: int) -> UInt8[ndarray, "{count} H H 3"]:
        of_images, of_cells = np.random.default_rng(seed).spawn(2)
        basis, K = texture_basis(self.dims, self.tile), self.grid.cells
        images = np.empty((count, self.image_size, self.image_size, 3), np.uint8)
        for block in blocks(count, 3 * self.image_size**2):
            n = len(images[block])
            common, own = draw_cells(of_images, n, 1, basis), draw_cells(of_cells, n, K, basis)
            cells = np.sqrt(self.share) * common + np.sqrt(1 - self.share) * own
            images[block] = self.grid.join(cells)
        return images

    def structure(self, images: UInt8[ndarray, "n H H 3"]) -> dict[str, float]:
        """Measure how far cells vary together, and their variety.

        Returns:
            agreement: mean covariance of cells that are far apart, over the mean variance of real
                images: `share` for real images, but for their clipping, 0 for independent cells,
                and 1 if all cells are alike.
            richness: participation ratio of the cells: D for real images.
        """
        require_images(images, self.image_size)
        cells, far = self.grid.cut(images), far_apart(self.grid.corners, self.image_size)
        return {
            "agreement": float(covariance(cells)[far].mean() / self._variance),
            "richness": participation_ratio(cells),
        }

    @cached_property
    def _variance(self) -> float:
        return mean_variance(self.grid.cut(self.draw(2 * self.seed, REFERENCES)))
