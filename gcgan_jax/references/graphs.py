"""Graphs and the geometry of their nodes."""

import numpy as np
from numpy import ndarray


def chebyshev(i: int, j: int, width: int) -> int:
    """Distance of two nodes in pixels: the larger of their distances in rows and columns."""
    (row_i, column_i), (row_j, column_j) = divmod(i, width), divmod(j, width)
    return max(abs(row_i - row_j), abs(column_i - column_j))


def knn(x: ndarray, k: int) -> ndarray:
    """[B, H, W, F] -> [B, N, k]: nearest in features outside the 3x3 window; ties: lowest j."""
    B, H, W, F = x.shape
    h = x.reshape(B, H * W, F).astype(np.float64)
    neighbours = np.zeros((B, H * W, k), np.int32)
    for b, i in np.ndindex(B, H * W):
        distances = [
            (np.sum((h[b, j] - h[b, i]) ** 2), j) for j in range(H * W) if chebyshev(i, j, W) > 1
        ]
        neighbours[b, i] = [j for _, j in sorted(distances)[:k]]
    return neighbours


def coordinates(height: int, width: int) -> ndarray:
    """[N, 2]: rows and columns from -1 to 1."""
    return np.array(
        [
            (2 * row / (height - 1) - 1, 2 * column / (width - 1) - 1)
            for row in range(height)
            for column in range(width)
        ]
    )
