"""Measures of procedural images; cells [n, K, d] in [-1, 1], at corners [K, 2] in pixels."""

import itertools

import numpy as np
from numpy import ndarray


def far_pairs(corners: ndarray, distance: float) -> list[tuple[int, int]]:
    """Pairs of cells that are so far apart in rows or columns."""
    pairs = itertools.product(range(len(corners)), repeat=2)
    return [(a, b) for a, b in pairs if max(abs(corners[a] - corners[b])) >= distance]


def nearest(cells: ndarray, others: ndarray, pairs: list[tuple[int, int]]) -> float:
    """Mean over images and cells of the smallest mean squared difference to a far cell."""
    smallest = []
    for image, other in zip(cells, others, strict=True):
        for a in range(len(image)):
            found = [np.mean((image[a] - other[b]) ** 2) for c, b in pairs if c == a]
            smallest += [min(found)] if found else []
    return float(np.mean(smallest))


def share_below(threshold: float, cells: ndarray, pairs: list[tuple[int, int]]) -> float:
    """Share of far pairs whose mean squared difference is below a threshold."""
    return float(
        np.mean([np.mean((x[a] - x[b]) ** 2) < threshold for x in cells for a, b in pairs])
    )


def gap(cells: ndarray, a: int, b: int) -> float:
    """Mean squared difference of cells a and b in different images, minus that in the same one."""
    n = range(len(cells))
    same = [np.mean((cells[i, a] - cells[i, b]) ** 2) for i in n]
    different = [np.mean((cells[i, a] - cells[j, b]) ** 2) for i in n for j in n if i != j]
    return float(np.mean(different) - np.mean(same))


def participation_ratio(vectors: ndarray) -> float:
    """[n, m, d]: (E |x|^2)^2 / E (x . y)^2, x and y of different groups, about the mean of all."""
    x = vectors - vectors.mean(axis=(0, 1))
    n, m, d = x.shape
    squares = [
        (x[i, a] @ x[j, b]) ** 2
        for i, j, a, b in itertools.product(range(n), range(n), range(m), range(m))
        if i != j
    ]
    trace = np.mean([vector @ vector for vector in x.reshape(n * m, d)])
    return float(min(d, trace**2 / np.mean(squares)))
