"""Pixels of an image whose windows do not overlap, as nodes that could tell each other something.

A node is a pixel whose window of w x w pixels lies inside the image; nodes are far from each other
if their Chebyshev distance is w or more, so that their windows share no pixel.

Images of H x W pixels with F channels; N nodes row by row, D = (w^2 - 1) F values of a surround, R
of the nodes have neighbours, k each.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int, Int32, UInt8
from numpy import ndarray
from numpy.lib.stride_tricks import sliding_window_view

from gcgan_jax.arrays import AnyArray
from gcgan_jax.data.pixels import scale
from gcgan_jax.graphs.geometry import in_window
from gcgan_jax.graphs.nearest import SELECTIONS

WINDOW = 7  # w
NEIGHBOURS = 8  # k
PAIRS = 2**22  # distances that are computed of an image, at most


class Nodes(NamedTuple):
    """The nodes of an image.

    Attributes:
        across: number of nodes in a row.
        chosen: indices of the R nodes that have neighbours; each has at least k far nodes.
        counts: numbers of their far nodes.
        far: indices of their far nodes, followed by all others.
    """

    across: int
    chosen: Int[ndarray, "R"]
    counts: Int[ndarray, "R"]
    far: Int[ndarray, "R N"]


def make_nodes(height: int, width: int) -> Nodes:
    """Choose all nodes with at least k far ones, or evenly spaced ones of them if R N > PAIRS.

    Raises:
        ValueError: there are none.
    """
    down, across = (max(0, lines - WINDOW + 1) for lines in (height, width))
    counts = down * across - np.outer(_near_lines(down), _near_lines(across)).ravel()
    chosen = np.flatnonzero(counts >= NEIGHBOURS)
    if not len(chosen):
        raise ValueError(
            f"images of {height}x{width} pixels are too small: no pixel has {NEIGHBOURS} others "
            f"whose {WINDOW}x{WINDOW} windows do not overlap with its own"
        )
    chosen = chosen[:: -(-len(chosen) * len(counts) // PAIRS)]
    near = np.asarray(in_window(chosen, len(counts), across, WINDOW - 1))
    return Nodes(across, chosen, counts[chosen], np.argsort(near, axis=1, kind="stable"))


def _near_lines(lines: int) -> Int[ndarray, "{lines}"]:
    """Return how many of so many rows or columns are less than w away from each."""
    line = np.arange(lines)
    return np.minimum(line + WINDOW, lines) - np.maximum(line - WINDOW + 1, 0)


def windows(
    image: UInt8[ndarray, "H W F"],
) -> tuple[Float[ndarray, "N D"], Float[ndarray, "N F"]]:
    """Return the surrounds of all nodes and the pixels themselves, in [-1, 1]."""
    scaled = np.asarray(scale(jnp.asarray(image)))
    cut = sliding_window_view(scaled, (WINDOW, WINDOW), axis=(0, 1))
    values, centre = cut.reshape(-1, image.shape[-1], WINDOW**2), WINDOW**2 // 2
    surrounds = np.delete(values, centre, axis=2)
    return surrounds.reshape(len(values), -1), values[:, :, centre]


def nearest(
    surrounds: Float[ndarray, "R D"], others: Float[ndarray, "N D"], nodes: Nodes
) -> Int32[ndarray, "R k"]:
    """Return the k of the other nodes, of any image, nearest to the chosen ones by surrounds.

    They are far from the places of the chosen ones, nearest first.
    """
    return np.asarray(_nearest(others, surrounds, nodes.chosen, nodes.across))


@partial(jax.jit, static_argnames="across")
def _nearest(
    h: Float[AnyArray, "N D"], h_i: Float[AnyArray, "R D"], i: Int[AnyArray, "R"], across: int
) -> Int32[Array, "R k"]:
    return SELECTIONS["maxima"](h, h_i, i, width=across, k=NEIGHBOURS, exclude=WINDOW - 1)


def draw(rng: np.random.Generator, nodes: Nodes) -> Int[ndarray, "R k"]:
    """Draw k far nodes of each chosen one, with replacement."""
    columns = rng.integers(nodes.counts[:, None], size=(len(nodes.chosen), NEIGHBOURS))
    return np.take_along_axis(nodes.far, columns, axis=1)
