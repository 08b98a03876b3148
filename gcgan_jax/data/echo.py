"""Echo: procedural images in which distant cells agree, and the measure of their agreement.

Each image has a few random textures of its own, and each of its cells shows one of them:

    texture = normal(D) @ basis [D, 3 t^2],  which uniform over kinds,  image = 0.4 texture[which].

The textures are drawn for each image: to imitate it, distant cells must agree on them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from numpy import ndarray

from gcgan_jax.data.cells import (
    REFERENCES,
    Grid,
    draw_cells,
    far_apart,
    full_grid,
    participation_ratio,
    require_dims,
    texture_basis,
)
from gcgan_jax.data.procedural import Procedural, blocks, require_images
from gcgan_jax.ranges import Free, Interval

PERMUTATION_SEED = 0
LAYOUT_SEED = 1  # of the layout that all images share if it is fixed
COMPARISONS = 256  # images of which c and the null are measured at least, counting repetitions


@dataclass(frozen=True)
class Echo(Procedural):
    """The data set of echo images. Invalid fields raise ValueError.

    Attributes:
        tile: side t of a cell in pixels, at most a third of image_size; (image_size // t)^2 cells
            from the upper left corner on, the margin beside them is black.
        kinds: textures of an image.
        dims: dimensions D of the textures, at most 3 t^2; 3: flat colours, 3 t^2: white.
        shift: whether each image is rolled by 0 to t - 1 pixels each way; needs a margin, by which
            the roll is recognised.
        fixed: whether which cell shows which kind is the same in all images.
    """

    tile: Annotated[int, Interval(1, 64)] = 5
    kinds: Annotated[int, Interval(1, 64)] = 3
    dims: Annotated[int, Interval(1, 768)] = 12
    shift: Annotated[bool, Free()] = False
    fixed: Annotated[bool, Free()] = False

    def __post_init__(self) -> None:
        if self.tile > self.image_size // 3:
            raise ValueError(
                f"tile = {self.tile} leaves no cells far apart (image_size = {self.image_size}): "
                f"choose 1 to {self.image_size // 3}"
            )
        require_dims(self.dims, self.tile)
        if self.shift and self.image_size % self.tile == 0:
            raise ValueError(
                f"shift = True needs a black margin, but tile = {self.tile} divides image_size = "
                f"{self.image_size}: choose another tile"
            )

    @property
    def grid(self) -> Grid:
        return full_grid(self.image_size, self.tile)

    def layouts(self, seed: int, count: int) -> Int[ndarray, "{count} K"]:
        """Return which kind each cell of the images of `draw` shows; equal ones are true copies."""
        if self.fixed:
            layout = np.random.default_rng(LAYOUT_SEED).integers(self.kinds, size=self.grid.cells)
            return np.tile(layout, (count, 1))
        _, rng, _ = _streams(seed)
        return rng.integers(self.kinds, size=(count, self.grid.cells))

    def draw(self, seed: int, count: int) -> UInt8[ndarray, "{count} H H 3"]:
        normal, _, shifts = _streams(seed)
        basis, layouts = texture_basis(self.dims, self.tile), self.layouts(seed, count)
        images = np.empty((count, self.image_size, self.image_size, 3), np.uint8)
        for block in blocks(count, 3 * self.image_size**2):
            which = layouts[block]
            textures = draw_cells(normal, len(which), self.kinds, basis)
            images[block] = self.grid.join(textures[np.arange(len(which))[:, None], which])
        if self.shift:
            return roll(images, shifts.integers(self.tile, size=(count, 2)))
        return images

    def cells(self, images: UInt8[ndarray, "n H H 3"]) -> Float[ndarray, "n K d"]:
        """Cut images into cells, after undoing their rolls."""
        require_images(images, self.image_size)
        return self.grid.cut(roll(images, -self._rolls(images)) if self.shift else images)

    def structure(self, images: UInt8[ndarray, "n H H 3"]) -> dict[str, float]:
        """Measure the cells' agreement over a distance, repetition and variety; see `measure`.

        With K_far the number of cells that are far from a cell, real images of high dimensions have
        agreement 1 - mean (1 - 1/kinds)^K_far, by the chance of a copy, and same = 1/kinds. In low
        ones, different textures are sometimes close. Their richness is D.
        """
        return measure(self.cells(images), self._far, self._reference)

    @cached_property
    def _far(self) -> Bool[ndarray, "K K"]:
        return far_apart(self.grid.corners, self.image_size)

    @cached_property
    def _reference(self) -> float:
        """c of real images."""
        cells = self.cells(self.draw(2 * self.seed, REFERENCES))
        return nearest(cells, np.roll(cells, 1, axis=0), self._far)

    def _rolls(self, images: UInt8[ndarray, "n H H 3"]) -> Int[ndarray, "n 2"]:
        """Estimate by how much images are rolled: to where their margin is darkest."""
        covered = self.image_size // self.tile * self.tile
        rolls = []
        for axis in (2, 1):  # the lines that remain are rows, then columns
            light = images.mean(axis=(axis, 3))
            margins = [np.roll(light, -r, axis=1)[:, covered:] for r in range(self.tile)]
            rolls.append(np.mean(margins, axis=2).argmin(axis=0))
        return np.stack(rolls, axis=1)


def measure(
    cells: Float[ndarray, "n K d"], far: Bool[ndarray, "K K"], c_real: float
) -> dict[str, float]:
    """Measure agreement over a distance, repetition and variety.

    The distance of two cells is their mean squared difference. For each cell, w is its smallest
    distance to a cell far from it in the same image, c that to the cells in the same places of
    another image; both are means over all images and all cells that have far ones.

    Returns:
        agreement: (c - w) / c_real, c_real being c of real images, minus agreement_null; 0 for
            independent cells, and if all images are the same.
        agreement_null: the same after permuting the cells in each place across images.
        same: share of far pairs that are closer than c_real / 4.
        richness: `participation_ratio` of the cells.
    """
    null = np.mean([_gap(c, far, 1) for c in _permuted(cells)]) / c_real
    return {
        "agreement": float(_gap(cells, far, _repetitions(len(cells))) / c_real - null),
        "agreement_null": float(null),
        "same": _share_below(c_real / 4, cells, far),
        "richness": participation_ratio(cells),
    }


def roll(images: UInt8[ndarray, "n H H 3"], by: Int[ndarray, "n 2"]) -> UInt8[ndarray, "n H H 3"]:
    """Roll each image by pixels of its own, down and to the right."""
    lines = np.arange(images.shape[1])
    rows, columns = (np.mod(lines - by[:, axis, None], len(lines)) for axis in (0, 1))
    return images[np.arange(len(images))[:, None, None], rows[:, :, None], columns[:, None]]


def _streams(seed: int) -> list[np.random.Generator]:
    """Return generators of textures, layouts and rolls, so that none depends on the count."""
    return np.random.default_rng(seed).spawn(3)


def _permuted(cells: Float[ndarray, "n K d"]) -> Iterator[Float[ndarray, "n K d"]]:
    """Permute the cells in each place across images; the fewer images, the more often."""
    rng = np.random.default_rng(PERMUTATION_SEED)
    n, K, _ = cells.shape
    for _ in range(_repetitions(n)):
        order = rng.permuted(np.tile(np.arange(n)[:, None], K), axis=0)
        yield cells[order, np.arange(K)]


def _gap(cells: Float[ndarray, "n K d"], far: Bool[ndarray, "K K"], steps: int) -> float:
    """Compute c - w, comparing with so many of the next images."""
    others = (np.roll(cells, step, axis=0) for step in range(1, steps + 1))
    c = sum(nearest(cells, other, far) for other in others) / steps
    return c - nearest(cells, cells, far)


def _repetitions(n: int) -> int:
    return max(1, min(n - 1, COMPARISONS // n))


def nearest(
    cells: Float[ndarray, "n K d"], others: Float[ndarray, "n K d"], far: Bool[ndarray, "K K"]
) -> float:
    """Return the mean over cells of the smallest distance to the others that are far from it."""
    some = far.any(axis=1)
    penalty = np.where(far, np.float32(0), np.float32(np.inf))
    smallest = [
        (_distances(cells[block], others[block]) + penalty)[:, some].min(axis=2).mean(axis=1)
        for block in blocks(len(cells), far.size)
    ]
    return float(np.concatenate(smallest).mean(dtype=np.float64))


def _share_below(
    threshold: float, cells: Float[ndarray, "n K d"], far: Bool[ndarray, "K K"]
) -> float:
    """Return the share of far pairs in an image that are closer than a threshold."""
    parts = blocks(len(cells), far.size)
    close = sum((_distances(cells[p], cells[p])[:, far] < threshold).sum() for p in parts)
    return float(close / (len(cells) * far.sum()))


def _distances(a: Float[ndarray, "n K d"], b: Float[ndarray, "n K d"]) -> Float[ndarray, "n K K"]:
    """Compute the mean squared differences of the cells of images a and b."""
    norms = np.square(a).mean(axis=2)[:, :, None] + np.square(b).mean(axis=2)[:, None]
    return norms - (2 / a.shape[2]) * (a @ b.swapaxes(1, 2))
