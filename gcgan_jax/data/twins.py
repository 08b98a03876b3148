"""Twins: procedural images whose long-range structure can be measured without a network.

An image is a grid of cells with one shape each, on black. The shapes on the main diagonal, the
twins, agree in kind, hue and texture; all others are drawn independently.

n images, H = W = image_size, G = grid, c = H / G the side of a cell, P = G^2 (G^2 - 1) / 2 pairs.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from jaxtyping import Float, Int, Real, UInt8
from numpy import ndarray
from numpy.lib.stride_tricks import sliding_window_view

from gcgan_jax.data.images import Images, Labels
from gcgan_jax.data.procedural import Procedural, blocks, require_images
from gcgan_jax.ranges import Interval

KINDS = 4  # disc, square, triangle, cross
ANGLES = 4  # stripes at multiples of 180 / ANGLES degrees


@dataclass(frozen=True)
class Twins:
    """The layout of the images, in pixels. Invalid fields raise ValueError.

    Attributes:
        image_size: side of the square images, a multiple of grid.
        grid: cells per side, at least 2, each of at least 8 pixels.
        jitter: maximum random displacement of each shape, vertically and horizontally; at most
            c // 8, so that shapes stay in their cells.
        texture: 0 for flat shapes, else the period, at least 3, of sinusoidal stripes whose angle
            and phase (at the centre of the shape) the twins share.
    """

    image_size: int
    grid: int
    jitter: int
    texture: int

    def __post_init__(self) -> None:
        size, grid, jitter = self.image_size, self.grid, self.jitter
        if grid < 2:
            raise ValueError(f"grid = {grid} gives no pairs of cells: choose grid >= 2")
        if size % grid or size < 8 * grid:
            raise ValueError(
                f"image_size = {size} cannot be split into cells of 8 pixels or more "
                f"(grid = {grid}): choose a multiple of {grid} that is at least {8 * grid}"
            )
        if not 0 <= jitter <= self.cell // 8:
            raise ValueError(
                f"jitter = {jitter} does not keep shapes within cells of {self.cell} pixels: "
                f"choose 0 to {self.cell // 8}"
            )
        if self.texture != 0 and self.texture < 3:
            raise ValueError(f"texture = {self.texture} is too short a period: choose 0 or >= 3")

    @property
    def cell(self) -> int:
        """Side of a cell in pixels."""
        return self.image_size // self.grid


@dataclass(frozen=True)
class ProceduralTwins(Procedural):
    """The data set of twins images, which depend only on these fields; see `Twins`."""

    grid: Annotated[int, Interval(2, 64)] = 2
    jitter: Annotated[int, Interval(0, 64)] = 0
    texture: Annotated[int, Interval(0, 512)] = 0

    def __post_init__(self) -> None:
        self.spec  # noqa: B018, raises ValueError for invalid combinations

    @property
    def spec(self) -> Twins:
        """The layout of the images."""
        return Twins(self.image_size, self.grid, self.jitter, self.texture)

    def draw(self, seed: int, count: int) -> UInt8[ndarray, "{count} H H 3"]:
        return make_images(self.spec, seed, count)

    def load_labelled(self) -> tuple[Images, Labels]:
        """Return images, and the kind of the twins in each as its class."""
        seeds = {2 * self.seed: self.num_train, 2 * self.seed + 1: self.num_test}
        return self.load(), Labels(*(kinds(self.spec, *drawn) for drawn in seeds.items()))

    def structure(self, images: Real[ndarray, "n H H 3"]) -> dict[str, float]:
        return structure(images, self.spec)


def make_images(
    spec: Twins, seed: int, count: int
) -> UInt8[ndarray, "{count} {spec.image_size} {spec.image_size} 3"]:
    """Generate images from np.random.default_rng(seed).

    Different seeds give independent images; a smaller count gives the first images of that seed.
    Raises ValueError if count is negative.
    """
    if count < 0:
        raise ValueError(f"count = {count} is negative: choose count >= 0")
    images = np.empty((count, spec.image_size, spec.image_size, 3), np.uint8)
    uniform = _draw(spec, seed, count)
    masks = _masks(spec)
    for block in blocks(count, 3 * spec.image_size**2):
        images[block] = _render(uniform[block], masks, spec)
    return images


def kinds(spec: Twins, seed: int, count: int) -> Int[ndarray, "{count}"]:
    """Return the kind of the twins in each image that `make_images` generates."""
    return _kinds(_draw(spec, seed, count)[:, 0, 0, 0])


def structure(images: Real[ndarray, "..."], spec: Twins) -> dict[str, float]:
    """Measure the correlation between cells of an image, for twins and for all other pairs.

    This is the Pearson correlation of two cells over their pixels and channels, averaged over
    images and pairs; that of a constant cell is 0. With jitter, each pair's correlation is the
    maximum over relative displacements of up to 2 * jitter pixels each way, by a cyclic shift of
    one cell (as np.roll): shapes of real images never cross the border of their cell.

    Args:
        images: [n, H, W, 3] uint8 or float in any range, n >= 1; else ValueError.
        spec: layout of the images; its texture is not used.

    Returns:
        diagonal_correlation, the mean over pairs on the diagonal (1 for real images), and
        other_correlation, the mean over all other pairs.
    """
    require_images(images, spec.image_size)
    first, second = np.triu_indices(spec.grid**2, 1)
    parts = blocks(len(images), 3 * len(first) * spec.cell**2)
    correlation = np.concatenate([_pair_correlations(images[p], spec) for p in parts])  # [n, P]
    diagonal = np.eye(spec.grid).ravel()
    twins = diagonal[first] * diagonal[second] == 1
    return {
        "diagonal_correlation": float(correlation[:, twins].mean()),
        "other_correlation": float(correlation[:, ~twins].mean()),
    }


def _draw(spec: Twins, seed: int, count: int) -> Float[ndarray, "{count} G G 6"]:
    """Draw the numbers, uniform in [0, 1), that determine each shape; twins share all but two."""
    uniform = np.random.default_rng(seed).random((count, spec.grid, spec.grid, 6))
    twins = np.arange(spec.grid)
    uniform[:, twins, twins, :4] = uniform[:, :1, 0, :4]  # all but the displacement, 4 and 5
    return uniform


def _kinds(uniform: Float[ndarray, "*cells"]) -> Int[ndarray, "*cells"]:
    return (uniform * KINDS).astype(int)


def _render(
    uniform: Float[ndarray, "n G G 6"],
    masks: Float[ndarray, "kinds shifts shifts c c"],
    spec: Twins,
) -> UInt8[ndarray, "n G*c G*c 3"]:
    """Render images from random numbers, uniform in [0, 1)."""
    kind, hue, angle, phase, dy, dx = np.moveaxis(uniform, -1, 0)
    j = spec.jitter
    dy, dx = ((d * (2 * j + 1)).astype(int) - j for d in (dy, dx))
    mask = masks[_kinds(kind), j - dy, j - dx]  # [n, G, G, c, c]
    value = 1.0
    if spec.texture:
        angle, phase, dy, dx = (d[..., None, None] for d in (angle, phase, dy, dx))
        y, x = _coordinates(spec.cell)[:, None] - dy, _coordinates(spec.cell) - dx
        theta = np.floor(angle * ANGLES) * np.pi / ANGLES
        cycles = (x * np.cos(theta) + y * np.sin(theta)) / spec.texture + phase
        value = 0.6 + 0.4 * np.sin(2 * np.pi * cycles)
    cells = (mask * value)[..., None] * _hue_to_rgb(hue)[:, :, :, None, None]
    cells = np.rint(255 * cells).astype(np.uint8)  # [n, G, G, c, c, 3]
    return cells.swapaxes(2, 3).reshape(-1, spec.image_size, spec.image_size, 3)


def _masks(
    spec: Twins,
) -> Float[ndarray, "kinds {2*spec.jitter+1} {2*spec.jitter+1} {spec.cell} {spec.cell}"]:
    """Compute the coverage in [0, 1] of a cell by each kind of shape.

    Each is a window on a larger canvas: [kind, jitter - dy, jitter - dx] has its shape at (dy, dx).
    Shapes extend to 3/8 of a cell from the centre, with edges antialiased by the signed distance.
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
    """Return the centres of the pixels of a line, relative to its middle."""
    return np.arange(side) - (side - 1) / 2


def _hue_to_rgb(hue: Float[ndarray, "*cells"]) -> Float[ndarray, "*cells 3"]:
    """Convert HSV to RGB at full saturation and value, hue in [0, 1)."""
    return np.clip(abs((6 * hue[..., None] + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1)


def _pair_correlations(images: Real[ndarray, "n H H 3"], spec: Twins) -> Float[ndarray, "n P"]:
    """Compute the maximum correlation of every pair of cells over displacements.

    By the correlation theorem, one product of spectra gives all cyclic displacements.
    """
    G, c = spec.grid, spec.cell
    cells = images.astype(np.float64).reshape(-1, G, c, G, c, 3)
    cells = cells.swapaxes(2, 3).reshape(-1, G * G, c, c, 3)
    cells -= cells[:, :, :1, :1, :1]  # makes constant cells exactly 0, without rounding error
    cells -= cells.mean(axis=(2, 3, 4), keepdims=True)
    norm = np.sqrt(np.square(cells).sum(axis=(2, 3, 4), keepdims=True))
    cells /= np.where(norm == 0, np.inf, norm)
    spectra = np.fft.rfft2(cells, axes=(2, 3))
    first, second = np.triu_indices(G * G, 1)
    products = (spectra[:, first].conj() * spectra[:, second]).sum(axis=-1)
    correlation = np.fft.irfft2(products, s=(c, c), axes=(2, 3))  # [n, P, c, c]
    shifts = np.arange(-2 * spec.jitter, 2 * spec.jitter + 1)
    return correlation[:, :, shifts[:, None], shifts].max(axis=(2, 3))
