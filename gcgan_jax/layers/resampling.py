"""Upsampling and mean pooling by 2, and the convolutions that do either.

B images, H rows, W columns, F features in, O features out.
"""

import flax.linen as nn
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from gcgan_jax.arrays import AnyArray
from gcgan_jax.layers.conv import ConvLayer, phase_convs
from gcgan_jax.layers.linear import linear


def upsample(x: Float[Array, "B H W F"]) -> Float[Array, "B 2*H 2*W F"]:
    """Repeat each pixel in 2x2 pixels."""
    B, H, W, F = x.shape
    repeated = jnp.broadcast_to(x[:, :, None, :, None], (B, H, 2, W, 2, F))
    return repeated.reshape(B, 2 * H, 2 * W, F)


def mean_pool(x: Float[AnyArray, "B H W F"]) -> Float[Array, "B H/2 W/2 F"]:
    """Compute the means of 2x2 blocks of pixels, for even sides."""
    B, H, W, F = x.shape
    return jnp.asarray(x).reshape(B, H // 2, 2, W // 2, 2, F).mean(axis=(2, 4))


def pooled_conv(
    x: Float[Array, "B H W F"], kernel: Float[Array, "3 3 F O"]
) -> Float[Array, "B H/2 W/2 O"]:
    """Compute a 3x3 SAME convolution and the means of 2x2 blocks of its output, for even sides.

    Means of shifted images are shifted means, so that the kernel's taps apply to means of x: 9
    products for each pooled pixel instead of 36.
    """
    H, W = x.shape[1:3]
    x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    rows = x[:, :-1] + x[:, 1:]
    means = (rows[:, :, :-1] + rows[:, :, 1:]) / 4  # [B, H + 1, W + 1, F]
    taps = [means[:, i : i + H : 2, j : j + W : 2] for i in range(3) for j in range(3)]
    return linear(jnp.concatenate(taps, axis=-1), kernel.reshape(-1, kernel.shape[-1]))


def transposed_conv(
    x: Float[Array, "B H W F"], kernel: Float[Array, "4 4 F O"]
) -> Float[Array, "B 2*H 2*W O"]:
    """Compute a 4x4 transposed convolution with stride 2 and SAME padding.

    It is a 4x4 convolution of x with zeros between its pixels, so that each of the four output
    phases sees every second tap of the kernel in either direction.
    """
    F, O = kernel.shape[2:]
    return phase_convs(x, kernel.reshape(2, 2, 2, 2, F, O).transpose(1, 3, 0, 2, 4, 5))


class PooledConv(ConvLayer):
    """3x3 SAME convolution followed by 2x2 mean pooling; halves both sides, which are even."""

    @nn.compact
    def __call__(self, x: Float[AnyArray, "B H W F"]) -> Float[Array, "B H/2 W/2 {self.features}"]:
        return self._convolve(pooled_conv, x, taps=3)


class TransposedConv(ConvLayer):
    """4x4 transposed convolution with stride 2; doubles both sides."""

    @nn.compact
    def __call__(self, x: Float[AnyArray, "B H W F"]) -> Float[Array, "B 2*H 2*W {self.features}"]:
        return self._convolve(transposed_conv, x, taps=4)
