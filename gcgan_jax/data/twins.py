"""Twins: procedural images whose long-range structure can be measured without a network.

An image is a grid of cells with one figure each, on black. Those on the main diagonal, the twins,
agree in shape, hue and texture; every other figure is drawn on its own.

n images, H = W = image_size, G = grid, c = H / G the side of a cell, P = G^2 (G^2 - 1) / 2 pairs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from jaxtyping import Float, Real, UInt8
from numpy import ndarray
from numpy.lib.stride_tricks import sliding_window_view

from gcgan_jax.data.images import Images
from gcgan_jax.ranges import Interval

SHAPES = 4  # disc, square, triangle, cross
ANGLES = 4  # stripes at multiples of 180 / ANGLES degrees
BLOCK_VALUES = 2**20  # numbers held at once in the largest temporary array


@dataclass(frozen=True)
class Twins:
    """What the images look like; all lengths in pixels. Raises ValueError on a field that misfits.

    Attributes:
        image_size: side of the square images, a multiple of grid.
        grid: cells per side, at least 2, each of at least 8 pixels.
        jitter: every figure is displaced on its own by up to this much each way, vertically and
            horizontally; at most c // 8, so that it stays in its cell.
        texture: 0 for flat figures, else the period, at least 3, of sinusoidal stripes whose angle
            and phase (at the centre of the figure) the twins share.
    """

    image_size: int
    grid: int
    jitter: int
    texture: int

    def __post_init__(self) -> None:
        size, grid, jitter = self.image_size, self.grid, self.jitter
        if grid < 2:
            raise ValueError(f"grid = {grid} has no pairs of cells: choose grid >= 2")
        if size % grid or size < 8 * grid:
            raise ValueError(
                f"image_size = {size} has no {grid} whole cells of 8 pixels or more per side "
                f"(grid = {grid}): choose a multiple of {grid} from {8 * grid} upwards"
            )
        if not 0 <= jitter <= self.cell // 8:
            raise ValueError(
                f"jitter = {jitter} does not keep a figure in its cell of {self.cell} pixels: "
                f"choose 0 to {self.cell // 8}"
            )
        if self.texture != 0 and self.texture < 3:
            raise ValueError(f"texture = {self.texture} is no visible period: choose 0 or >= 3")

    @property
    def cell(self) -> int:
        """Side of a cell in pixels."""
        return self.image_size // self.grid


@dataclass(frozen=True)
class ProceduralTwins:
    """The data set of these images, which follow from the seed alone."""

    seed: int
    image_size: int
    num_train: Annotated[int, Interval(1, 10**6)] = 10_000
    num_test: Annotated[int, Interval(1, 10**6)] = 1_000
    grid: Annotated[int, Interval(2, 64)] = 2
    jitter: Annotated[int, Interval(0, 64)] = 0
    texture: Annotated[int, Interval(0, 512)] = 0

    def __post_init__(self) -> None:
        self.spec  # noqa: B018, raises ValueError on fields that do not go together

    @property
    def spec(self) -> Twins:
        """What the images look like."""
        return Twins(self.image_size, self.grid, self.jitter, self.texture)

    def load(self) -> Images:
        return Images(
            train=make_images(self.spec, 2 * self.seed, self.num_train),
            test=make_images(self.spec, 2 * self.seed + 1, self.num_test),
        )


def make_images(
    spec: Twins, seed: int, count: int
) -> UInt8[ndarray, "{count} {spec.image_size} {spec.image_size} 3"]:
    """Draws images from np.random.default_rng(seed).

    Different seeds give independent images; with one seed a smaller count gives the first of them.
    Raises ValueError if count is negative.
    """
    if count < 0:
        raise ValueError(f"count = {count} is negative: choose count >= 0")
    images = np.empty((count, spec.image_size, spec.image_size, 3), np.uint8)
    draws = np.random.default_rng(seed).random((count, spec.grid, spec.grid, 6))
    twins = np.arange(spec.grid)
    draws[:, twins, twins, :4] = draws[:, :1, 0, :4]  # the displacement, 4 and 5, stays their own
    masks = _masks(spec)
    for block in _blocks(count, 3 * spec.image_size**2):
        images[block] = _render(draws[block], masks, spec)
    return images


def structure(images: Real[ndarray, "..."], spec: Twins) -> dict[str, float]:
    """Correlation between the cells of an image: twins against all other pairs.

    The Pearson correlation of two cells over all their pixels and channels, averaged over images
    and pairs. A constant cell correlates 0 with any other. With jitter, a pair counts with its
    largest correlation over relative displacements of up to 2 * jitter pixels each way, one cell
    being shifted cyclically (as np.roll): real figures never cross the border of their cell.

    Args:
        images: [n, H, W, 3] uint8 or float in any range, n >= 1; else ValueError.
        spec: the layout; its texture is not used.

    Returns:
        diagonal_correlation, of the pairs on the diagonal (1 for real images), and
        other_correlation, of the pairs not both on it.
    """
    size = spec.image_size
    if images.ndim != 4 or images.shape[1:] != (size, size, 3) or not len(images):
        raise ValueError(f"images = {images.shape} in shape: pass [n >= 1, {size}, {size}, 3]")
    first, second = np.triu_indices(spec.grid**2, 1)
    blocks = _blocks(len(images), 3 * len(first) * spec.cell**2)
    correlation = np.concatenate([_pair_correlations(images[b], spec) for b in blocks])  # [n, P]
    diagonal = np.eye(spec.grid).ravel()
    twins = diagonal[first] * diagonal[second] == 1
    return {
        "diagonal_correlation": float(correlation[:, twins].mean()),
        "other_correlation": float(correlation[:, ~twins].mean()),
    }


def _blocks(count: int, values: int) -> Iterator[slice]:
    """Slices over count items, each item needing so many values in memory."""
    step = max(1, BLOCK_VALUES // values)
    return (slice(start, start + step) for start in range(0, count, step))


def _render(
    draws: Float[ndarray, "n G G 6"], masks: Float[ndarray, "shapes shifts shifts c c"], spec: Twins
) -> UInt8[ndarray, "n G*c G*c 3"]:
    """The images of uniform draws in [0, 1)."""
    shape, hue, angle, phase, dy, dx = np.moveaxis(draws, -1, 0)
    j = spec.jitter
    dy, dx = ((d * (2 * j + 1)).astype(int) - j for d in (dy, dx))
    mask = masks[(shape * SHAPES).astype(int), j - dy, j - dx]  # [n, G, G, c, c]
    value = 1.0
    if spec.texture:
        angle, phase, dy, dx = (d[..., None, None] for d in (angle, phase, dy, dx))
        y, x = _coordinates(spec.cell)[:, None] - dy, _coordinates(spec.cell) - dx
        theta = np.floor(angle * ANGLES) * np.pi / ANGLES
        turns = (x * np.cos(theta) + y * np.sin(theta)) / spec.texture + phase
        value = 0.6 + 0.4 * np.sin(2 * np.pi * turns)
    cells = (mask * value)[..., None] * _hue_to_rgb(hue)[:, :, :, None, None]
    cells = np.rint(255 * cells).astype(np.uint8)  # [n, G, G, c, c, 3]
    return cells.swapaxes(2, 3).reshape(-1, spec.image_size, spec.image_size, 3)


def _masks(
    spec: Twins,
) -> Float[ndarray, "shapes {2*spec.jitter+1} {2*spec.jitter+1} {spec.cell} {spec.cell}"]:
    """Coverage in [0, 1] of a cell by each shape.

    A mask is a window on a larger canvas: [s, jitter - dy, jitter - dx] has its figure at (dy, dx).
    Edges are smoothed over one pixel by the signed distance, within 3/8 of a cell from the centre.
    """
    r = 3 / 8 * spec.cell
    x = _coordinates(spec.cell + 2 * spec.jitter)
    ax, ay, y = *np.meshgrid(abs(x), abs(x)), x[:, None]
    disc = np.hypot(ax, ay) - r
    square = np.maximum(ax, ay) - 0.85 * r
    triangle = np.maximum((2 * ax - y - r) / np.sqrt(5), y - r)  # corners (0, -r), (-r, r), (r, r)
    cross = np.maximum(np.maximum(ax, ay) - r, np.minimum(ax, ay) - r / 3)
    coverage = np.clip(0.5 - np.stack([disc, square, triangle, cross]), 0, 1)
    return sliding_window_view(coverage, (spec.cell, spec.cell), axis=(1, 2))


def _coordinates(side: int) -> Float[ndarray, "{side}"]:
    """Centres of the pixels of a line, from its middle."""
    return np.arange(side) - (side - 1) / 2


def _hue_to_rgb(hue: Float[ndarray, "*cells"]) -> Float[ndarray, "*cells 3"]:
    """HSV to RGB at full saturation and value, hue in [0, 1)."""
    return np.clip(abs((6 * hue[..., None] + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1)


def _pair_correlations(images: Real[ndarray, "n H H 3"], spec: Twins) -> Float[ndarray, "n P"]:
    """The correlation of every pair of cells, at its best displacement.

    By the correlation theorem all cyclic displacements come from one product of spectra.
    """
    G, c = spec.grid, spec.cell
    cells = images.astype(np.float64).reshape(-1, G, c, G, c, 3)
    cells = cells.swapaxes(2, 3).reshape(-1, G * G, c, c, 3)
    cells -= cells[:, :, :1, :1, :1]  # makes a flat cell exactly 0, its mean free of rounding
    cells -= cells.mean(axis=(2, 3, 4), keepdims=True)
    norm = np.sqrt(np.square(cells).sum(axis=(2, 3, 4), keepdims=True))
    cells /= np.where(norm == 0, np.inf, norm)
    spectra = np.fft.rfft2(cells, axes=(2, 3))
    first, second = np.triu_indices(G * G, 1)
    products = (spectra[:, first].conj() * spectra[:, second]).sum(axis=-1)
    correlation = np.fft.irfft2(products, s=(c, c), axes=(2, 3))  # [n, P, c, c]
    shifts = np.arange(-2 * spec.jitter, 2 * spec.jitter + 1)
    return correlation[:, :, shifts[:, None], shifts].max(axis=(2, 3))
