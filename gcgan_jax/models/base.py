"""What the generators of all backbones share, and what their critics share.

B images, H rows, W columns, F features of a feature map.
"""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Key

from gcgan_jax.arrays import AnyArray
from gcgan_jax.gan.rng import layer_keys
from gcgan_jax.layers.linear import DENSE
from gcgan_jax.layers.normalisation import Normalisation
from gcgan_jax.layers.statistics import BatchStatistics

NOISE = 8  # offset of the noise's keys from those of the graphs, of at most 7 blocks


class BaseGenerator(nn.Module):
    """Fields of a generator, its 4x4 stem, and its blocks' noise and graph layers.

    Only noise and random graphs need keys, one per image.

    Attributes:
        blocks: number of blocks n, each of which doubles the side: images have sides of 4 * 2^n.
        width: features of the 4x4 feature map.
        channels: image channels.
        graph_blocks: blocks, counted from 1, that have a graph layer.
        graph_conv: factory of the graph layer, which takes its number of features; None: no such
            layer.
        statistics: momentum, epsilon and dtype of the batch normalisation.
        stem: "dense", or "constant" for a learned 4x4 feature map that is the same for all z.
        noise_blocks: blocks, counted from 1, to whose features noise is added, before the graph
            layer if there is one: independent standard normal numbers times a strength per channel.
        noise_strength: the strength; None: learned, from 0.
        dtype: dtype of matmuls and plain convolutions; None: that of z.
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

    def _stem(
        self, z: Float[AnyArray, "B latent"], *, use_bias: bool = False
    ) -> Float[Array, "B 4 4 {self.width}"]:
        if self.stem == "constant":
            normal = nn.initializers.normal(1.0)
            constant = self.param("constant", normal, (4, 4, self.width), float)
            return jnp.broadcast_to(jnp.asarray(constant, self.dtype), (len(z), *constant.shape))
        dense = DENSE(16 * self.width, use_bias=use_bias, dtype=self.dtype, name="dense")
        return dense(z).reshape(-1, 4, 4, self.width)

    def _second_layer(
        self,
        conv: Callable[..., nn.Module],
        x: Float[Array, "B H W F"],
        block: int,
        keys: Key[Array, "B"] | None,
        statistics: BatchStatistics,
    ) -> tuple[Float[Array, "B H W F"], str]:
        """Apply a block's noise, then its graph layer or else a convolution; also return its name.

        Args:
            conv: factory of the convolution.
        """
        x = self._noisy(x, block, keys)
        if self._has_graph(block):
            return self._graph_layer(x, block, keys, statistics)
        name = f"block{block}_conv"
        return conv(x.shape[-1], name=name)(x), name

    def _has_graph(self, block: int) -> bool:
        return self.graph_conv is not None and block in self.graph_blocks

    def _graph_layer(
        self,
        x: Float[Array, "B H W F"],
        block: int,
        keys: Key[Array, "B"] | None,
        statistics: BatchStatistics,
    ) -> tuple[Float[Array, "B H W F"], str]:
        assert self.graph_conv is not None
        name = f"block{block}_graph"
        graph_conv = self.graph_conv(x.shape[-1], statistics=statistics, name=name)
        return graph_conv(x, layer_keys(keys, block)), name

    def _noisy(
        self, x: Float[Array, "B H W F"], block: int, keys: Key[Array, "B"] | None
    ) -> Float[Array, "B H W F"]:
        if block not in self.noise_blocks:
            return x
        return self._add_noise(x, layer_keys(keys, NOISE + block), f"block{block}_noise")

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


class BaseCritic(nn.Module):
    """Fields of a critic, and its graph layers.

    Attributes:
        widths: features after each convolution or block.
        slope: negative slope of the leaky ReLU.
        graph_after: convolutions or blocks, counted from 1, that are followed by a graph layer.
        graph_conv: factory of the graph layer, which takes its number of features; None: no such
            layer.
        norm: normalisation; its statistics are also those of the graph layers.
        dtype: dtype of the convolutions; None: that of x.
    """

    widths: tuple[int, ...]
    slope: float
    graph_after: tuple[int, ...] = ()
    graph_conv: Callable[..., nn.Module] | None = None
    norm: Normalisation = Normalisation()
    dtype: DTypeLike | None = None

    def _has_graph(self, index: int) -> bool:
        return self.graph_conv is not None and index in self.graph_after

    def _graph_layer(
        self,
        x: Float[Array, "B H W F"],
        index: int,
        keys: Key[Array, "B"] | None,
        norm: Normalisation,
        name: str,
    ) -> Float[Array, "B H W F"]:
        assert self.graph_conv is not None
        layer = self.graph_conv(x.shape[-1], statistics=norm.statistics, name=name)
        return norm.weights(layer)(x, layer_keys(keys, index))
