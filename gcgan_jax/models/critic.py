"""The critic: images to one number each, thesis 2.5.1 with the official WGAN-GP CIFAR-10 widths.

B images, H rows, W columns, F channels.
"""

from collections.abc import Callable

import flax.linen as nn
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Key

from gcgan_jax.arrays import AnyArray
from gcgan_jax.draws import layer_keys
from gcgan_jax.layers.conv import StridedConv


class Critic(nn.Module):
    """Images to one number each.

        3 x (5x5 convolution with stride 2, leaky ReLU; graph conv, leaky ReLU) -> one linear unit

    with graph convolutions only where they are asked for. Nothing is normalised, so that the
    gradient penalty sees each image by itself. The linear unit is computed in float32 at least.

    Attributes:
        widths: features after each convolution; H and W divide by 2^len(widths).
        slope: of the leaky ReLU.
        graph_after: the convolutions, counted from 1, that a graph convolution follows.
        graph_conv: makes that layer, from its number of features; None: there is none.
        dtype: of the convolutions; None is that of x.
    """

    widths: tuple[int, ...]
    slope: float
    graph_after: tuple[int, ...] = ()
    graph_conv: Callable[..., nn.Module] | None = None
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(
        self, x: Float[AnyArray, "B H W F"], keys: Key[Array, "B"] | None = None
    ) -> Float[Array, "B"]:
        for number, features in enumerate(self.widths, start=1):
            conv = StridedConv(features, dtype=self.dtype, name=f"conv{number}")
            x = nn.leaky_relu(conv(x), self.slope)
            if self.graph_conv and number in self.graph_after:
                graph_conv = self.graph_conv(features, name=f"conv{number}_graph")
                x = nn.leaky_relu(graph_conv(x, layer_keys(keys, number)), self.slope)
        init = nn.initializers.glorot_normal()
        head = nn.Dense(1, kernel_init=init, param_dtype=float, name="dense")
        return head(x.reshape(x.shape[0], -1))[:, 0]
