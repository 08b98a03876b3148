"""Parity: procedural images with an even number of white tiles.

Eight tiles, white or black, lie like the black fields of a 4 x 4 chessboard, on grey. Seven are
independent; the eighth makes the number of white ones even. So any seven tiles are independent, and
no two are alike more often than not: only all eight together tell a real image. There are 128 of
them.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, UInt8
from numpy import ndarray

from gcgan_jax.data.cells import Grid, full_grid, participation_ratio
from gcgan_jax.data.procedural import Procedural, require_images

TILES = 8
LINES = 4  # rows and columns of fields


@dataclass(frozen=True)
class Parity(Procedural):
    """The data set of parity images. An image_size that 4 does not divide raises ValueError."""

    def __post_init__(self) -> None:
        if self.image_size % LINES:
            raise ValueError(f"image_size = {self.image_size}: must be a multiple of {LINES}")

    @property
    def grid(self) -> Grid:
        """All fields of the chessboard."""
        return full_grid(self.image_size, self.image_size // LINES)

    def draw(self, seed: int, count: int) -> UInt8[ndarray, "{count} H H 3"]:
        white = np.random.default_rng(seed).integers(2, size=(count, TILES))
        white[:, -1] = white[:, :-1].sum(axis=1) % 2
        fields = np.zeros((count, self.grid.cells))
        fields[:, _tiles()] = 2 * white - 1
        values = 3 * self.grid.tile**2
        return self.grid.join(np.repeat(fields[:, :, None], values, axis=2))

    def structure(self, images: UInt8[ndarray, "n H H 3"]) -> dict[str, float]:
        """Measure parity, contrast and variety of the tiles' mean values m, in [-1, 1].

        Returns:
            parity: mean over images of prod_i sign(m_i), minus parity_null: 1 for real images, 0
                for independent tiles.
            parity_null: prod_i mean(sign(m_i)), which independent tiles as often white would have.
            contrast: mean |m|: 1 for real images, 0 for grey ones.
            richness: participation ratio of the tiles of an image: 8 for real images.
        """
        require_images(images, self.image_size)
        tiles = self.grid.cut(images)[:, _tiles()].mean(axis=2)
        signs = np.sign(tiles)
        null = signs.mean(axis=0).prod()
        return {
            "parity": float(signs.prod(axis=1).mean() - null),
            "parity_null": float(null),
            "contrast": float(abs(tiles).mean()),
            "richness": participation_ratio(tiles[:, None]),
        }


def _tiles() -> Int[ndarray, "8"]:
    """Return the numbers of the fields that are tiles."""
    rows, columns = np.divmod(np.arange(LINES**2), LINES)
    return np.flatnonzero((rows + columns) % 2 == 0)
