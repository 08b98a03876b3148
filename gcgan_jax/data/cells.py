"""Square cells of images, their random textures, and how their pixels vary together.

n images of side H, K cells each of t x t pixels, d = 3 t^2 values a cell, in [-1, 1].
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Real, UInt8
from numpy import ndarray

from gcgan_jax.data.procedural import blocks

REFERENCES = 2_000  # real images whose variance and distances measures refer to
BASIS_SEED = 0  # the same textures for all seeds of a run
AMPLITUDE = 0.4  # standard deviation of a pixel before it is clipped to [-1, 1]
FAR = 5 / 8  # distance from which on cells are far, in sides of the image: 20 pixels of 32


@dataclass(frozen=True)
class Grid:
    """Cells of t x t pixels, row by row; what lies between and beside them is black.

    Attributes:
        side: side H of the images.
        tile: side t of a cell.
        rows, columns: first rows and columns of pixels of the cells.
    """

    side: int
    tile: int
    rows: tuple[int, ...]
    columns: tuple[int, ...]

    @property
    def cells(self) -> int:
        """Number K of cells."""
        return len(self.rows) * len(self.columns)

    @property
    def corners(self) -> Real[ndarray, "K 2"]:
        """Row and column of each cell's first pixel."""
        return np.stack(np.meshgrid(self.rows, self.columns, indexing="ij"), -1).reshape(-1, 2)

    def cut(self, images: UInt8[ndarray, "n H H 3"]) -> Float[ndarray, "n K d"]:
        """Return the cells of images, in [-1, 1]."""
        cells = images[self._pixels()].swapaxes(2, 3).reshape(len(images), self.cells, -1)
        return cells.astype(np.float32) / 127.5 - 1

    def join(self, cells: Float[ndarray, "n K d"]) -> UInt8[ndarray, "n H H 3"]:
        """Return images of cells in [-1, 1], between which all is black."""
        images = np.zeros((len(cells), self.side, self.side, 3), np.uint8)
        shape = (len(cells), len(self.rows), len(self.columns), self.tile, self.tile, 3)
        images[self._pixels()] = to_pixels(cells).reshape(shape).swapaxes(2, 3)
        return images

    def _pixels(self) -> tuple[slice, ndarray, ndarray]:
        """Return the index of the cells' pixels, [n, rows, t, columns, t]."""
        rows, columns = (np.add.outer(s, range(self.tile)) for s in (self.rows, self.columns))
        return slice(None), rows[:, :, None, None], columns


def full_grid(side: int, tile: int) -> Grid:
    """Make the grid of as many cells as fit, from the upper left corner on."""
    starts = tuple(range(0, side - tile + 1, tile))
    return Grid(side, tile, starts, starts)


def far_apart(corners: Real[ndarray, "K 2"], side: int) -> Bool[ndarray, "K K"]:
    """Return which cells are far apart: by FAR * side pixels or more in their rows or columns.

    This is Chebyshev's distance: local layers of a smaller reach cannot connect such cells, as
    their windows are square.
    """
    return abs(corners[:, None] - corners).max(axis=-1) >= FAR * side


def to_pixels(values: Float[ndarray, "*shape"]) -> UInt8[ndarray, "*shape"]:
    """Clip values to [-1, 1] and convert them to uint8, rounding to nearest."""
    return np.rint((np.clip(values, -1, 1) + 1) * 127.5).astype(np.uint8)


def texture_basis(dims: int, tile: int) -> Float[ndarray, "{dims} d"]:
    """Return the D vectors of which textures are random sums: normal(D) @ basis.

    They are fixed random orthonormal rows times sqrt(d / D), so that the mean variance of a pixel
    is 1; D = d gives white textures. For D = 3, they are the three channels: flat colours.
    """
    values = 3 * tile**2
    if dims == 3:
        return np.tile(np.eye(3), tile**2)
    rows = np.random.default_rng(BASIS_SEED).normal(size=(values, dims))
    return np.linalg.qr(rows)[0].T * np.sqrt(values / dims)


def require_dims(dims: int, tile: int) -> None:
    """Raise ValueError if textures cannot have so many dimensions."""
    if dims > 3 * tile**2:
        raise ValueError(
            f"dims = {dims} is more than the {3 * tile**2} values of a cell (tile = {tile}): "
            f"choose 1 to {3 * tile**2}"
        )


def participation_ratio(vectors: Float[ndarray, "n m d"]) -> float:
    """Estimate in how many directions vectors vary: (tr C)^2 / tr C^2, C their covariance.

    It is D if D directions have equal variance and 0 if all vectors are the same. The n groups, of
    m vectors each, must be independent of each other: tr C^2 = E (x . y)^2 is estimated from pairs
    x, y of different groups, and so has no bias towards few directions if n is small. The result
    is at most d, and 0 for a single group.
    """
    n, m, d = vectors.shape
    if n == 1:
        return 0.0
    x = vectors - vectors[0, 0]  # makes equal vectors exactly 0, without rounding error
    x -= x.mean(axis=(0, 1))
    trace = np.square(x).sum(dtype=np.float64) / (n * m)
    within = sum(_squared_norm_of_products(group) for group in x)
    square = (_squared_norm_of_products(x.reshape(n * m, d)) - within) / (n * (n - 1) * m**2)
    return float(trace**2 / max(square, trace**2 / d)) if trace else 0.0


def _squared_norm_of_products(x: Float[ndarray, "v d"]) -> float:
    """Compute the sum of (x_i . x_j)^2 over all pairs of vectors; X X^T and X^T X have the same."""
    products = x @ x.T if len(x) < x.shape[1] else x.T @ x
    return float(np.square(products).sum(dtype=np.float64))


def covariance(cells: Float[ndarray, "n K d"]) -> Float[ndarray, "K K"]:
    """Compute C_ab = cov(x_a, x_b) over images, the mean over the d values of a cell.

    For cells a and b, 2 C_ab is by how much their mean squared difference in one image is below
    that of a in one and b in another image. It is 0 for a single image.
    """
    n, K, d = cells.shape
    mean, total = cells.mean(axis=0, dtype=np.float64), np.zeros((K, K))
    for block in blocks(n, K * d):
        x = (cells[block] - mean).swapaxes(0, 1).reshape(K, -1)
        total += x @ x.T
    return total / (max(1, n - 1) * d)


def mean_variance(cells: Float[ndarray, "n K d"]) -> float:
    """Return the mean variance of a value of a cell over images."""
    return float(np.diag(covariance(cells)).mean())


def agreements(
    cells: Float[ndarray, "n K d"],
    pairs: Bool[ndarray, "K K"],
    far: Bool[ndarray, "K K"],
    variance: float,
) -> dict[str, float]:
    """Measure how far cells vary together over images, in pairs that should and in all others.

    Neither needs a null: in expectation, the covariance of independent cells is 0.

    Args:
        pairs: cells that are copies of each other in real images.
        far: cells that are far apart; only these are compared.
        variance: `mean_variance` of real images.

    Returns:
        agreement: mean covariance of the pairs over variance: 1 for real images.
        elsewhere: the same of cells that are no pair: 0 for real images.
        richness: participation ratio of the cells: the dimensions of the textures.
    """
    correlation = covariance(cells) / variance
    return {
        "agreement": float(correlation[far & pairs].mean()),
        "elsewhere": float(correlation[far & ~pairs].mean()),
        "richness": participation_ratio(cells),
    }


def draw_cells(
    rng: np.random.Generator, count: int, cells: int, basis: Float[ndarray, "D d"]
) -> Float[ndarray, "{count} {cells} d"]:
    """Draw independent textures, one a cell; a smaller count gives the first images."""
    return AMPLITUDE * (rng.normal(size=(count, cells, len(basis))) @ basis)
