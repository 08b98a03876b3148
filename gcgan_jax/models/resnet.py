"""The residual networks of WGAN-GP for CIFAR-10: Gulrajani et al. 2017, arXiv:1704.00028, appendix.

B images, side 4 * 2^n after n blocks; H rows, W columns, F channels of the critic's images.
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Key

from gcgan_jax.arrays import AnyArray
from gcgan_jax.layers.conv import Conv, ConvLayer
from gcgan_jax.layers.linear import DENSE, pointwise
from gcgan_jax.layers.normalisation import Normalisation
from gcgan_jax.layers.resampling import PooledConv, mean_pool, upsample
from gcgan_jax.models.base import BaseCritic, BaseGenerator

POOLED = 2  # blocks of the critic, the first ones, that halve the sides
# Convolutions between ReLUs have twice the Glorot variance, as in the authors' code.
HE = nn.initializers.variance_scaling(2.0, "fan_avg", "uniform")


class Generator(BaseGenerator):
    """Maps latents to images in [-1, 1]; all feature maps have `width` features.

        dense -> 4 x 4 x width -> n x residual block -> BN, ReLU, conv -> tanh
        block(x) = conv1x1(upsample(x)) + second(a(conv(upsample(a(x)))) + noise)

    with a: batch normalisation, then ReLU. The second layer is a convolution, or a graph
    convolution where configured; there is noise only where configured. Convolutions have no bias
    where a batch normalisation would undo it. The last convolution is computed in at least float32.
    For the attributes, see `BaseGenerator`.
    """

    @nn.compact
    def __call__(
        self,
        z: Float[AnyArray, "B latent"],
        keys: Key[Array, "B"] | None = None,
        *,
        train: bool,
        axis_name: str | None = None,
    ) -> Float[Array, "B side side {self.channels}"]:
        statistics = self.statistics.in_mode(train=train, axis_name=axis_name)
        activate = statistics.norm_relu
        conv = partial(Conv, kernel_init=HE, dtype=self.dtype)
        shortcut = partial(DENSE, self.width, use_bias=False, dtype=self.dtype)
        x = self._stem(z, use_bias=True)
        for block in range(1, self.blocks + 1):
            name = f"block{block}_up"
            y = conv(self.width, upsample=True, name=name)(activate(x, f"block{block}"))
            y, _ = self._second_layer(conv, activate(y, name), block, keys, statistics)
            # A 1x1 convolution and upsampling can be exchanged; the former costs less before.
            x = upsample(pointwise(shortcut(name=f"block{block}_shortcut"), x)) + y
        x = activate(x, "to_image")
        return nn.tanh(Conv(self.channels, use_bias=True, name="to_image")(x))


def block_features(width: int, blocks: int) -> tuple[int, ...]:
    """Return the features of each block."""
    return (width,) * blocks


class Critic(BaseCritic):
    """Maps each image to one number by a residual block for each width.

        m x (residual block; graph conv) -> leaky ReLU -> mean over pixels -> one linear unit
        block(x) = shortcut(x) + pool(conv(a(conv(a(x)))))

    with a: normalisation if any, then leaky ReLU. The first two blocks pool, by means of 2x2
    pixels; the first one neither activates its input nor normalises. The shortcut is a 1x1
    convolution of pool(x), or x itself where the shape stays. Graph convolutions map a block's
    output where configured, as in SAGAN. The paper has four widths of 128, and slope 0. The linear
    unit is computed in at least float32. For the attributes, see `BaseCritic`.
    """

    @nn.compact
    def __call__(
        self,
        x: Float[AnyArray, "B H W F"],
        keys: Key[Array, "B"] | None = None,
        *,
        train: bool = False,
        axis_name: str | None = None,
    ) -> Float[Array, "B"]:
        norm, y = self.norm.in_mode(train=train, axis_name=axis_name), jnp.asarray(x)
        for index, features in enumerate(self.widths, start=1):
            y = self._block(y, index, features, norm)
            if self._has_graph(index):
                y = self._graph_layer(y, index, keys, norm, f"stage{index}_graph")
        head = norm.weights(DENSE(1, name="dense"))
        return head(nn.leaky_relu(y, self.slope).mean(axis=(1, 2)))[:, 0]

    def _block(
        self, x: Float[Array, "B H W F"], index: int, features: int, norm: Normalisation
    ) -> Float[Array, "B _ _ {features}"]:
        name, pools = f"stage{index}", index <= POOLED

        def activate(x: Array, name: str) -> Array:
            return nn.leaky_relu(norm.features(x, name) if index > 1 else x, self.slope)

        def conv(kind: type[ConvLayer], x: Array, name: str) -> Array:
            layer = kind(features, use_bias=True, kernel_init=HE, dtype=self.dtype, name=name)
            return norm.weights(layer)(x)

        y = conv(Conv, activate(x, name) if index > 1 else x, f"{name}_conv1")
        y = activate(y, f"{name}_conv1")
        y = conv(PooledConv if pools else Conv, y, f"{name}_conv2")
        if not pools and x.shape[-1] == features:
            return x + y
        shortcut = norm.weights(DENSE(features, dtype=self.dtype, name=f"{name}_shortcut"))
        return pointwise(shortcut, mean_pool(x) if pools else x) + y


def block_sides(side: int, blocks: int) -> tuple[int, ...]:
    """Return the side of the feature map after each block of the critic."""
    return tuple(side // 2 ** min(block, POOLED) for block in range(1, blocks + 1))
