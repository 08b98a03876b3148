"""Layers of convolutional networks."""

import numpy as np
from numpy import ndarray


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


def transposed_conv(x: ndarray, kernel: ndarray) -> ndarray:
    """4x4 transposed convolution, stride 2: pixel (i, j) adds to 4x4 pixels around (2i, 2j)."""
    B, H, W, _ = x.shape
    out = np.zeros((B, 2 * H, 2 * W, kernel.shape[-1]))
    for b, row, column, i, j in np.ndindex(B, H, W, 4, 4):
        y, z = 2 * row + 2 - i, 2 * column + 2 - j
        if 0 <= y < 2 * H and 0 <= z < 2 * W:
            out[b, y, z] += x[b, row, column] @ kernel[i, j]
    return out


def mean_pool(x: ndarray) -> ndarray:
    """Means of 2x2 pixels: [B, 2H, 2W, F] -> [B, H, W, F]."""
    return (x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]) / 4


def batch_norm(x: ndarray, scale: ndarray, bias: ndarray, epsilon: float) -> ndarray:
    """Batch normalisation by statistics over all axes but the last."""
    axes = tuple(range(x.ndim - 1))
    return (x - x.mean(axes)) / np.sqrt(x.var(axes) + epsilon) * scale + bias


def leaky_relu(x: ndarray, slope: float) -> ndarray:
    return np.where(x > 0, x, slope * x)
