"""From a config to both networks."""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp
from jax.typing import DTypeLike

from gcgan_jax.config.choices import part
from gcgan_jax.config.schema import Config, GraphLayer
from gcgan_jax.gan.networks import GAN
from gcgan_jax.graphs import GRAPHS
from gcgan_jax.layers.graph_conv import GraphConv
from gcgan_jax.layers.merge import MERGES
from gcgan_jax.models import BACKBONES
from gcgan_jax.operators import OPERATORS


def make_gan(config: Config) -> GAN:
    g, c, data = config.generator, config.critic, config.data
    backbone = BACKBONES[config.backbone]
    dtype = jnp.bfloat16 if config.compute_dtype == "bfloat16" else None  # as the parameters
    norm = partial(
        nn.BatchNorm,
        momentum=g.norm_momentum,
        epsilon=g.norm_epsilon,
        dtype=dtype,
        param_dtype=float,
    )
    generator = backbone.generator(
        blocks=upsampling_blocks(config),
        width=g.width,
        channels=data.channels,
        graph_blocks=graph_blocks(config),
        graph_conv=_graph_conv(g.graph_layer, dtype),
        norm=norm,
        dtype=dtype,
    )
    critic = backbone.critic(
        widths=c.widths,
        slope=c.slope,
        graph_after=graph_convs_of_critic(config),
        graph_conv=_graph_conv(c.graph_layer, dtype),
        dtype=dtype,
    )
    shape = (data.image_size, data.image_size, data.channels)
    return GAN(generator, critic, g.latent_size, shape, config.matmul_precision)


def _graph_conv(layer: GraphLayer, dtype: DTypeLike | None) -> partial[GraphConv] | None:
    if OPERATORS[layer.operator.name] is None:
        return None
    return partial(
        GraphConv,
        graph=part(GRAPHS, layer.graph),
        operator=part(OPERATORS, layer.operator, dtype=dtype),
        merge=part(MERGES, layer.merge),
        dtype=dtype,
    )


def upsampling_blocks(config: Config) -> int:
    """Upsampling blocks of the generator: side = 4 * 2^blocks."""
    return (config.data.image_size // 4).bit_length() - 1


def graph_blocks(config: Config) -> tuple[int, ...]:
    """The generator's blocks, counted from 1, that carry a graph layer."""
    if OPERATORS[config.generator.graph_layer.operator.name] is None:
        return ()
    return config.generator.graph_blocks or tuple(range(2, upsampling_blocks(config) + 1))


def graph_convs_of_critic(config: Config) -> tuple[int, ...]:
    """The critic's convolutions, counted from 1, that a graph layer follows."""
    if OPERATORS[config.critic.graph_layer.operator.name] is None:
        return ()
    return config.critic.graph_after
