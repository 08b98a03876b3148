"""The thesis's generator and critic.

B images, side 4 * 2^n after n blocks, `width` features before the first, halved by each;
H rows, W columns, F channels of the critic's images.
"""

from collections.abc import Callable
from functools import partial

import flax.linen as nn
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Key

from gcgan_jax.arrays import AnyArray
from gcgan_jax.gan.rng import layer_keys
from gcgan_jax.layers.conv import Conv, StridedConv


class Generator(nn.Module):
    """Latents to images in [-1, 1], thesis figures 4.1 to 4.4.

        dense -> 4 x 4 x width -> n x (upsample, conv, conv or graph conv) -> 1x1 conv -> tanh

    with batch normalisation and ReLU after the dense layer and every (graph) convolution.
    The 1x1 convolution is computed in float32 at least. Keys, one for each image, are for graphs
    that are drawn at random; others need none.

    Attributes:
        blocks: n.
        width: features of the 4x4 map, divisible by 2^n.
        channels: of an image.
        graph_blocks: the blocks, counted from 1, whose second convolution is a graph convolution.
        graph_conv: makes that layer, from its number of features; None: there is none.
        norm: makes a normalisation, from `use_running_average` and `axis_name`.
        dtype: of the products and plain convolutions; None is that of z.
    """

    blocks: int
    width: int
    channels: int
    graph_blocks: tuple[int, ...]
    graph_conv: Callable[..., nn.Module] | None
    norm: Callable[..., nn.Module]
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(
        self,
        z: Float[AnyArray, "B latent"],
        keys: Key[Array, "B"] | None = None,
        *,
        train: bool,
        axis_name: str | None = None,
    ) -> Float[Array, "B side side {self.channels}"]:
        norm = partial(self.norm, use_running_average=not train, axis_name=axis_name)

        def activate(x: Array, name: str) -> Array:
            return nn.relu(norm(name=f"{name}_norm")(x))

        dense = partial(nn.Dense, kernel_init=nn.initializers.glorot_normal(), param_dtype=float)
        conv = partial(Conv, dtype=self.dtype)
        x = dense(16 * self.width, use_bias=False, dtype=self.dtype, name="dense")(z)
        x = activate(x.reshape(-1, 4, 4, self.width), "dense")
        for block in range(1, self.blocks + 1):
            features = self.width // 2**block
            name = f"block{block}_up"
            x = activate(conv(features, upsample=True, name=name)(x), name)
            if self.graph_conv and block in self.graph_blocks:
                name = f"block{block}_graph"
                x = self.graph_conv(features, name=name)(x, layer_keys(keys, block))
            else:
                name = f"block{block}_conv"
                x = conv(features, name=name)(x)
            x = activate(x, name)
        rows = dense(self.channels, name="to_image")(x.reshape(-1, x.shape[-1]))
        return nn.tanh(rows.reshape(*x.shape[:-1], self.channels))


class Critic(nn.Module):
    """Images to one number each, thesis 2.5.1 with the official WGAN-GP CIFAR-10 widths.

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
