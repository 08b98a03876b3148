"""Convolutions as their platform computes them fastest; the numbers are those of the plain ones.

B images, H rows, W columns, F features in, O features out. Kernels are [taps, taps, F, O].
A CPU multiplies patches by a matrix: XLA's own convolutions are slow there inside a scan, in a
weight gradient and with a stride. Accelerators get convolutions without stride and dilation.
"""

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

Padding = tuple[tuple[int, int], tuple[int, int]]


def conv(x: Array, kernel: Array, padding: Padding) -> Array:
    """Cross-correlation with stride 1 on zero-padded x: [B, H, W, F] -> [B, H', W', O]."""
    return lax.platform_dependent(
        x,
        kernel,
        cpu=lambda x, kernel: patches_conv(x, kernel, padding),
        default=lambda x, kernel: direct_conv(x, kernel, padding),
    )


def direct_conv(x: Array, kernel: Array, padding: Padding) -> Array:
    """`conv` as one XLA convolution."""
    return lax.conv_general_dilated(
        x, kernel, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def patches_conv(x: Array, kernel: Array, padding: Padding, stride: int = 1) -> Array:
    """`conv` as patches [B * H' * W', taps^2 * F] times a matrix, at any stride."""
    rows, columns, F, O = kernel.shape
    x = jnp.pad(x, ((0, 0), *padding, (0, 0)))
    H, W = ((n - taps) // stride + 1 for n, taps in zip(x.shape[1:3], (rows, columns), strict=True))
    patches = jnp.concatenate(
        [
            x[:, i : i + (H - 1) * stride + 1 : stride, j : j + (W - 1) * stride + 1 : stride]
            for i in range(rows)
            for j in range(columns)
        ],
        axis=-1,
    )
    products = patches.reshape(-1, rows * columns * F) @ kernel.reshape(-1, O)
    return products.reshape(x.shape[0], H, W, O)


def strided_conv(x: Array, kernel: Array) -> Array:
    """5x5 convolution with stride 2, SAME on even sides: [B, H, W, F] -> [B, H/2, W/2, O]."""
    return lax.platform_dependent(
        x,
        kernel,
        cpu=lambda x, kernel: patches_conv(x, kernel, ((1, 2), (1, 2)), stride=2),
        default=folded_conv,
    )


def folded_conv(x: Array, kernel: Array) -> Array:
    """`strided_conv` with 2x2 pixel blocks folded into channels: a 3x3 convolution, stride 1."""
    B, H, W, F = x.shape
    O = kernel.shape[-1]
    kernel = jnp.pad(kernel, ((1, 0), (1, 0), (0, 0), (0, 0))).reshape(3, 2, 3, 2, F, O)
    x = x.reshape(B, H // 2, 2, W // 2, 2, F).transpose(0, 1, 3, 2, 4, 5)
    kernel = kernel.transpose(0, 2, 1, 3, 4, 5).reshape(3, 3, 4 * F, O)
    return direct_conv(x.reshape(B, H // 2, W // 2, 4 * F), kernel, ((1, 1), (1, 1)))


def upsample_conv(x: Array, kernel: Array) -> Array:
    """3x3 SAME convolution of the nearest x2 upsampling of x: [B, H, W, F] -> [B, 2H, 2W, O].

    Each of the four output phases is a 2x2 convolution of the small map, whose taps are sums of
    the kernel's: rows (w0, w1 + w2) above and (w0 + w1, w2) below, and columns alike.
    """
    B, H, W, _ = x.shape
    # [phase, tap of the 2x2 kernel, tap of the 3x3 kernel]
    sums = np.array([[[1, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]], dtype=kernel.dtype)
    kernels = jnp.einsum("art,bsu,tufo->abrsfo", sums, sums, kernel)
    phases = [
        [conv(x, kernels[a, b], ((1 - a, a), (1 - b, b))) for b in range(2)] for a in range(2)
    ]
    return jnp.stack([jnp.stack(row, axis=3) for row in phases], axis=2).reshape(
        B, 2 * H, 2 * W, -1
    )


class Conv(nn.Module):
    """3x3 SAME convolution without bias, Glorot normal; with `upsample`, of the doubled map."""

    features: int
    upsample: bool = False

    @nn.compact
    def __call__(self, x: Array) -> Array:
        shape = (3, 3, x.shape[-1], self.features)
        kernel = self.param("kernel", nn.initializers.glorot_normal(), shape, float)
        return upsample_conv(x, kernel) if self.upsample else conv(x, kernel, ((1, 1), (1, 1)))


class StridedConv(nn.Module):
    """5x5 convolution with stride 2 and a bias, Glorot normal; halves even sides."""

    features: int

    @nn.compact
    def __call__(self, x: Array) -> Array:
        shape = (5, 5, x.shape[-1], self.features)
        kernel = self.param("kernel", nn.initializers.glorot_normal(), shape, float)
        bias = self.param("bias", nn.initializers.zeros, (self.features,), float)
        return strided_conv(x, kernel) + bias
