"""The critic: images to one number each, thesis 2.5.1 with the official WGAN-GP CIFAR-10 widths.

B images, H rows, W columns, F channels.
"""

import flax.linen as nn
from jax import Array
from jax.typing import DTypeLike

from gcgan_jax.layers.conv import StridedConv


class Critic(nn.Module):
    """Images [B, H, W, F] -> [B]: 5x5 convolutions with stride 2, leaky ReLU, one linear unit.

    Nothing is normalised, so that the gradient penalty sees each image by itself. The linear unit
    is computed in float32 at least.

    Attributes:
        widths: features after each convolution; H and W divide by 2^len(widths).
        slope: of the leaky ReLU.
        dtype: of the convolutions; None is that of x.
    """

    widths: tuple[int, ...]
    slope: float
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Array) -> Array:
        for number, features in enumerate(self.widths, start=1):
            conv = StridedConv(features, dtype=self.dtype, name=f"conv{number}")
            x = nn.leaky_relu(conv(x), self.slope)
        init = nn.initializers.glorot_normal()
        head = nn.Dense(1, kernel_init=init, param_dtype=float, name="dense")
        return head(x.reshape(x.shape[0], -1))[:, 0]
