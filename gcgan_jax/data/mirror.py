"""Mirror: procedural images whose right half mirrors the left one.

The left half consists of cells with independent random textures. Distant cells agree, but only in
one place each, and after a reflection: no cell of an image repeats another.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from jaxtyping import Bool, Float, UInt8
from numpy import ndarray

from gcgan_jax.data.cells import (
    REFERENCES,
    Grid,
    agreements,
    draw_cells,
    far_apart,
    mean_variance,
    require_dims,
    texture_basis,
)
from gcgan_jax.data.procedural import Procedural, blocks, require_images
from gcgan_jax.ranges import Interval


@dataclass(frozen=True)
class Mirror(Procedural):
    """The data set of mirror images. Invalid fields raise ValueError.

    Attributes:
        tile: side t of a cell in pixels; must divide half of image_size.
        dims: dimensions D of the textures, at most 3 t^2; 3: flat colours, 3 t^2: white.
    """

    tile: Annotated[int, Interval(1, 64)] = 4
    dims: Annotated[int, Interval(1, 768)] = 48

    def __post_init__(self) -> None:
        if self.image_size % (2 * self.tile):
            raise ValueError(
                f"tile = {self.tile} does not divide half of image_size = {self.image_size}: "
                "choose another tile, such as 4"
            )
        require_dims(self.dims, self.tile)

    @property
    def half(self) -> Grid:
        """The cells of the left half."""
        H, t = self.image_size, self.tile
        return Grid(H, t, tuple(range(0, H, t)), tuple(range(0, H // 2, t)))

    def draw(self, seed: int, count: int) -> UInt8[ndarray, "{count} H H 3"]:
        rng, basis = np.random.default_rng(seed), texture_basis(self.dims, self.tile)
        images = np.empty((count, self.image_size, self.image_size, 3), np.uint8)
        middle = self.image_size // 2
        for block in blocks(count, 3 * self.image_size**2):
            n = len(images[block])
            images[block] = self.half.join(draw_cells(rng, n, self.half.cells, basis))
            images[block, :, middle:] = images[block, :, middle - 1 :: -1]
        return images

    def structure(self, images: UInt8[ndarray, "n H H 3"]) -> dict[str, float]:
        """Measure `agreements` of cells and their reflections; real images: 1, 0 and D."""
        require_images(images, self.image_size)
        return agreements(self._cells(images), self._pairs, self._far, self._variance)

    def _cells(self, images: UInt8[ndarray, "n H H 3"]) -> Float[ndarray, "n K d"]:
        """Cut both halves into cells, as seen from their outer edges."""
        halves = [self.half.cut(side) for side in (images, images[:, :, ::-1])]
        return np.concatenate(halves, axis=1)

    @property
    def _pairs(self) -> Bool[ndarray, "K K"]:
        """Cells and their reflections."""
        K = 2 * self.half.cells
        return np.roll(np.eye(K, dtype=bool), K // 2, axis=0)

    @property
    def _far(self) -> Bool[ndarray, "K K"]:
        left = self.half.corners
        right = np.abs(left - (0, self.image_size - self.tile))
        return far_apart(np.concatenate([left, right]), self.image_size)

    @cached_property
    def _variance(self) -> float:
        return mean_variance(self._cells(self.draw(2 * self.seed, REFERENCES)))
