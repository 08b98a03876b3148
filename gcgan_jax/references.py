"""References in plain numpy, with a loop for every sum of an equation: slow but easy to verify.

B images, H rows, W columns, N = H * W nodes, F or C features in, O features out, k neighbours.
"""

from collections.abc import Callable

import numpy as np
from numpy import ndarray


def gradients(scalar: Callable[..., float], *arrays: ndarray, step: float = 1e-6) -> list[ndarray]:
    """Compute d scalar / d array for each array, by central differences."""
    arrays = tuple(np.array(array, np.float64) for array in arrays)
    gradients = []
    for array in arrays:
        gradient = np.zeros_like(array)
        for index in np.ndindex(array.shape):
            value = array[index]
            array[index] = value + step
            above = scalar(*arrays)
            array[index] = value - step
            below = scalar(*arrays)
            array[index] = value
            gradient[index] = (above - below) / (2 * step)
        gradients.append(gradient)
    return gradients


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


def conv(
    x: ndarray, kernel: ndarray, padding: tuple[tuple[int, int], tuple[int, int]], stride: int = 1
) -> ndarray:
    """Cross-correlation of zero-padded x: [B, H, W, F] -> [B, H', W', O]."""
    B, H, W, _ = x.shape
    rows, columns, _, O = kernel.shape
    (top, bottom), (left, right) = padding
    height = (top + H + bottom - rows) // stride + 1
    width = (left + W + right - columns) // stride + 1
    out = np.zeros((B, height, width, O))
    for b, row, column, i, j in np.ndindex(B, height, width, rows, columns):
        y, z = row * stride + i - top, column * stride + j - left
        if 0 <= y < H and 0 <= z < W:
            out[b, row, column] += x[b, y, z] @ kernel[i, j]
    return out


def upsample(x: ndarray) -> ndarray:
    """Nearest-neighbour upsampling by 2: [B, H, W, F] -> [B, 2H, 2W, F]."""
    B, H, W, F = x.shape
    out = np.zeros((B, 2 * H, 2 * W, F))
    for b, row, column in np.ndindex(B, 2 * H, 2 * W):
        out[b, row, column] = x[b, row // 2, column // 2]
    return out


def edge_conv(
    h: ndarray, neighbours: ndarray, phi: ndarray, psi: ndarray, reduction: str = "sum"
) -> ndarray:
    """Thesis eq. 3.21: out_i = sum_j ReLU( phi (h_j - h_i) + psi h_i )."""
    B, N, k = neighbours.shape
    out = np.zeros((B, N, phi.shape[1]))
    for b, i in np.ndindex(B, N):
        messages = [
            np.maximum((h[b, j] - h[b, i]) @ phi + h[b, i] @ psi, 0) for j in neighbours[b, i]
        ]
        out[b, i] = {"sum": sum, "mean": lambda m: sum(m) / k, "max": lambda m: np.max(m, axis=0)}[
            reduction
        ](messages)
    return out


def attention(h_i: ndarray, h_j: ndarray, delta: float | None) -> float:
    """Thesis eq. 3.15; 1 without attention."""
    return 1.0 if delta is None else np.exp(-np.sum((h_j - h_i) ** 2) / delta)


def ecc(
    h: ndarray,
    neighbours: ndarray,
    w1: ndarray,
    b1: ndarray,
    w2: ndarray,
    b2: ndarray,
    delta: float | None,
    slope: float,
) -> ndarray:
    """Thesis eq. 3.14 and 3.15, materialising Theta_ij [C, O] of every edge."""
    B, N, k = neighbours.shape
    out = np.zeros((B, N, b2.shape[1]))
    for b, i in np.ndindex(B, N):
        for j in neighbours[b, i]:
            a = (h[b, j] - h[b, i]) @ w1 + b1
            a = leaky_relu(a, slope)
            theta = b2 + sum(a[f] * w2[f] for f in range(len(a)))
            out[b, i] += attention(h[b, i], h[b, j], delta) * h[b, j] @ theta / k
    return out


def batch_norm(x: ndarray, scale: ndarray, bias: ndarray, epsilon: float) -> ndarray:
    """Batch normalisation by statistics over all axes but the last."""
    axes = tuple(range(x.ndim - 1))
    return (x - x.mean(axes)) / np.sqrt(x.var(axes) + epsilon) * scale + bias


def leaky_relu(x: ndarray, slope: float) -> ndarray:
    return np.where(x > 0, x, slope * x)
