"""The generator and the critic of the thesis.

B images, side 4 * 2^n after n blocks, `width` features before the first block, halved by each;
H rows, W columns, F channels of the critic's images.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Key

from gcgan_jax.arrays import AnyArray
from gcgan_jax.gan.rng import layer_keys
from gcgan_jax.layers.conv import Conv, StridedConv
from gcgan_jax.layers.normalisation import Normalisation
from gcgan_jax.layers.statistics import BatchStatistics

DENSE = partial(nn.Dense, kernel_init=nn.initializers.glorot_normal(), param_dtype=float)
NOISE = 8  # offset of the noise's keys from those of the graphs, of at most 7 blocks


class Generator(nn.Module):
    """Maps latents to images in [-1, 1], thesis figures 4.1 to 4.4.

        dense -> 4 x 4 x width -> n x (upsample, conv, conv or graph conv) -> 1x1 conv -> tanh

    with batch normalisation and ReLU after the dense layer and every (graph) convolution. The 1x1
    convolution is computed in at least float32. Only noise and random graphs need keys, one per
    image.

    Attributes:
        blocks: number of blocks n.
        width: features of the 4x4 feature map, at least 2^n; halved and rounded down by each block.
        channels: image channels.
        graph_blocks: blocks, counted from 1, whose second convolution is a graph convolution.
        graph_conv: factory of the graph layer, which takes its number of features; None: no such
            layer.
        statistics: momentum, epsilon and dtype of the batch normalisation.
        stem: "dense", or "constant" for a learned 4x4 feature map that is the same for all z.
        noise_blocks: blocks, counted from 1, to whose second (graph) convolution's input noise is
            added: independent standard normal numbers times a strength per channel.
        noise_strength: the strength; None: learned, from 0.
        dtype: dtype of matmuls and plain convolutions; None: that of z.

    Example:
        >>> generator = Generator(
        ...     blocks=2,
        ...     width=16,
        ...     channels=3,
        ...     graph_blocks=(2,),
        ...     graph_conv=partial(GraphConv, graph=partial(KNN, k=4), operator=EdgeConv),
        ...     statistics=BatchStatistics(momentum=0.9, epsilon=1e-5),
        ... )
        >>> init = partial(generator.init_with_output, train=False)
        >>> images, variables = jax.eval_shape(init, jax.random.key(0), jnp.ones((2, 8)))
        >>> images.shape
        (2, 16, 16, 3)
        >>> variables["params"]["block2_graph"]["local"]["kernel"].shape
        (3, 3, 4, 4)
    """

    blocks: int
    width: int
    channels: int
    graph_blocks: tuple[int, ...]
    graph_conv: Callable[..., nn.Module] | None
    statistics: BatchStatistics
    stem: str = "dense"
    noise_blocks: tuple[int, ...] = ()
    noise_strength: float | None = None
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
        statistics = replace(self.statistics, use_running_average=not train, axis_name=axis_name)

        def activate(x: Array, name: str) -> Array:
            return nn.relu(statistics.norm(f"{name}_norm")(x))

        conv = partial(Conv, dtype=self.dtype)
        x = activate(self._stem(z), self.stem)
        for block in range(1, self.blocks + 1):
            features = self.width // 2**block
            name = f"block{block}_up"
            x = activate(conv(features, upsample=True, name=name)(x), name)
            if block in self.noise_blocks:
                x = self._add_noise(x, layer_keys(keys, NOISE + block), f"block{block}_noise")
            if self.graph_conv and block in self.graph_blocks:
                name = f"block{block}_graph"
                graph_conv = self.graph_conv(features, statistics=statistics, name=name)
                x = graph_conv(x, layer_keys(keys, block))
            else:
                name = f"block{block}_conv"
                x = conv(features, name=name)(x)
            x = activate(x, name)
        rows = DENSE(self.channels, name="to_image")(x.reshape(-1, x.shape[-1]))
        return nn.tanh(rows.reshape(*x.shape[:-1], self.channels))

    def _stem(self, z: Float[AnyArray, "B latent"]) -> Float[Array, "B 4 4 {self.width}"]:
        if self.stem == "constant":
            normal = nn.initializers.normal(1.0)
            constant = self.param("constant", normal, (4, 4, self.width), float)
            return jnp.broadcast_to(jnp.asarray(constant, self.dtype), (len(z), *constant.shape))
        dense = DENSE(16 * self.width, use_bias=False, dtype=self.dtype, name="dense")
        return dense(z).reshape(-1, 4, 4, self.width)

    def _add_noise(
        self, x: Float[Array, "B H W F"], keys: Key[Array, "B"] | None, name: str
    ) -> Float[Array, "B H W F"]:
        if keys is None:
            raise ValueError("a generator with noise needs one key per image: pass keys")
        strength: Array | float | None = self.noise_strength
        if strength is None:
            strength = self.param(name, nn.initializers.zeros, x.shape[-1:], float)[
                None, None, None
            ]
        noise = jax.vmap(lambda key: jax.random.normal(key, x.shape[1:], float))(keys)
        return x + (strength * noise).astype(x.dtype)


class Critic(nn.Module):
    """Maps each image to one number, thesis 2.5.1 with the widths of the official WGAN-GP CIFAR-10.

        3 x (5x5 convolution with stride 2, leaky ReLU; graph conv, leaky ReLU) -> one linear unit

    with graph convolutions only where configured. As in the thesis, there is no normalisation by
    default. Otherwise, it is that of the features before each leaky ReLU but the first, as in DCGAN
    (Radford et al. 2016, arXiv:1511.06434), or that of all weights. The linear unit is computed in
    at least float32.

    Attributes:
        widths: features after each convolution; H and W are divisible by 2^len(widths).
        slope: negative slope of the leaky ReLU.
        graph_after: convolutions, counted from 1, that are followed by a graph convolution.
        graph_conv: factory of the graph layer, which takes its number of features; None: no such
            layer.
        norm: normalisation; its statistics are also those of the graph layers.
        dtype: dtype of the convolutions; None: that of x.

    Example:
        >>> critic, images = Critic(widths=(4, 6, 8), slope=0.2), jnp.ones((2, 16, 16, 3))
        >>> d, variables = jax.eval_shape(critic.init_with_output, jax.random.key(0), images)
        >>> d.shape, variables["params"]["dense"]["kernel"].shape  # 2 x 2 pixels of 8 features
        ((2,), (32, 1))
    """

    widths: tuple[int, ...]
    slope: float
    graph_after: tuple[int, ...] = ()
    graph_conv: Callable[..., nn.Module] | None = None
    norm: Normalisation = Normalisation()
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(
        self,
        x: Float[AnyArray, "B H W F"],
        keys: Key[Array, "B"] | None = None,
        *,
        train: bool = False,
        axis_name: str | None = None,
    ) -> Float[Array, "B"]:
        norm = self.norm.in_mode(train=train, axis_name=axis_name)
        for index, features in enumerate(self.widths, start=1):
            name = f"conv{index}"
            x = norm.weights(StridedConv(features, dtype=self.dtype, name=name))(x)
            x = nn.leaky_relu(norm.features(x, name) if index > 1 else x, self.slope)
            if self.graph_conv and index in self.graph_after:
                name = f"conv{index}_graph"
                layer = self.graph_conv(features, statistics=norm.statistics, name=name)
                x = norm.features(norm.weights(layer)(x, layer_keys(keys, index)), name)
                x = nn.leaky_relu(x, self.slope)
        head = norm.weights(DENSE(1, name="dense"))
        return head(x.reshape(x.shape[0], -1))[:, 0]
