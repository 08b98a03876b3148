"""Graphs and the geometry of their nodes."""

import numpy as np
from numpy import ndarray


def chebyshev(i: int, j: int, width: int) -> int:
    """Distance of two nodes in pixels: the larger of their distances in rows and columns."""
    (row_i, column_i), (row_j, column_j) = divmod(i, width), divmod(j, width)
    return max(abs(row_i - row_j), abs(column_i - column_j))


def knn(
    x: ndarray,
    k: int,
    metric: str = "euclidean",
    exclude: int = 1,
    dilation: int = 1,
    position: float = 0.0,
) -> ndarray:
    """[B, H, W, F] -> [B, N, k]: nearest in features outside the window; ties: lowest j.

    Of a point set [B, N, F]: the nearest others.
    """
    B, *size, F = x.shape
    h = x.reshape(B, -1, F).astype(np.float64)
    if position:
        h = np.concatenate([h, np.stack([position * coordinates(*size)] * B)], axis=-1)
    neighbours = np.zeros((B, h.shape[1], k), np.int32)
    for b, i in np.ndindex(B, h.shape[1]):
        distances = [(distance(h[b, i], h[b, j], metric), j) for j in candidates(i, size, exclude)]
        neighbours[b, i] = [j for _, j in sorted(distances)[: k * dilation : dilation]]
    return neighbours


def candidates(i: int, size: list[int], exclude: int) -> list[int]:
    """Nodes outside the window of i in an image of H x W pixels; all but i of N points."""
    if len(size) == 1:
        return [j for j in range(size[0]) if j != i]
    H, W = size
    return [j for j in range(H * W) if chebyshev(i, j, W) > exclude]


def distance(a: ndarray, b: ndarray, metric: str) -> float:
    """||b - a||^2, or 1 - cos of the angle between a and b."""
    if metric == "cosine":
        return 1 - np.dot(a, b) / np.sqrt(np.dot(a, a) * np.dot(b, b))
    return np.sum((b - a) ** 2)


def soft_knn(
    x: ndarray,
    w_q: ndarray,
    w_p: ndarray,
    temperature: float,
    k: int,
    metric: str = "euclidean",
) -> tuple[ndarray, ndarray]:
    """Indices [B, N, k] of the nearest p_j outside the 3x3 window, and their softmax weights.

    Of a point set [B, N, F]: of the nearest others.
    """

    def distance(q: ndarray, p: ndarray) -> float:
        return -(q @ p) if metric == "product" else np.sum((q - p) ** 2)

    B, *size, F = x.shape
    h = x.reshape(B, -1, F)
    N = h.shape[1]
    indices, weights = np.zeros((B, N, k), np.int32), np.zeros((B, N, k))
    for b, i in np.ndindex(B, N):
        distances = [
            (distance(h[b, i] @ w_q, h[b, j] @ w_p), j) for j in candidates(i, size, exclude=1)
        ]
        nearest = sorted(distances)[:k]
        indices[b, i] = [j for _, j in nearest]
        exponentials = [np.exp(-d / temperature) for d, _ in nearest]
        weights[b, i] = exponentials / sum(exponentials)
    return indices, weights


def coordinates(height: int, width: int) -> ndarray:
    """[N, 2]: rows and columns from -1 to 1."""
    return np.array(
        [
            (2 * row / (height - 1) - 1, 2 * column / (width - 1) - 1)
            for row in range(height)
            for column in range(width)
        ]
    )
