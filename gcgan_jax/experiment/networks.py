"""Construction of the generator and the critic from a config."""

from functools import partial

import jax.numpy as jnp
from jax.typing import DTypeLike

from gcgan_jax.config.choices import bind
from gcgan_jax.config.schema import Config, GraphLayer
from gcgan_jax.gan.networks import GAN
from gcgan_jax.graphs import GRAPHS
from gcgan_jax.layers.graph_conv import GraphConv
from gcgan_jax.layers.merge import MERGES
from gcgan_jax.layers.normalisation import Normalisation
from gcgan_jax.layers.statistics import BatchStatistics
from gcgan_jax.models import BACKBONES
from gcgan_jax.operators import OPERATORS


def make_gan(config: Config) -> GAN:
    """Build both networks."""
    g, c, data = config.generator, config.critic, config.data
    backbone = BACKBONES[config.backbone]
    dtype = jnp.bfloat16 if config.compute_dtype == "bfloat16" else None  # None: as parameters
    generator = backbone.generator(
        blocks=upsampling_blocks(config),
        width=g.width,
        channels=data.channels,
        graph_blocks=graph_blocks(config),
        graph_conv=_graph_conv(g.graph_layer, dtype),
        statistics=BatchStatistics(g.norm_momentum, g.norm_epsilon, dtype),
        stem=g.stem,
        noise_blocks=g.noise.blocks,
        noise_strength=g.noise.strength,
        dtype=dtype,
    )
    critic = backbone.critic(
        widths=c.widths,
        slope=c.slope,
        graph_after=graph_convs_of_critic(config),
        graph_conv=_graph_conv(c.graph_layer, dtype),
        norm=Normalisation(c.norm, BatchStatistics(c.norm_momentum, c.norm_epsilon, dtype)),
        dtype=dtype,
    )
    shape = (data.image_size, data.image_size, data.channels)
    return GAN(generator, critic, g.latent_size, shape, config.matmul_precision)


def _graph_conv(layer: GraphLayer, dtype: DTypeLike | None) -> partial[GraphConv] | None:
    if not _has_layer(layer):
        return None
    return partial(
        GraphConv,
        graph=bind(GRAPHS, layer.graph),
        operator=bind(OPERATORS, layer.operator, dtype=dtype) if has_operator(layer) else None,
        merge=bind(MERGES, layer.merge),
        local_branch=layer.local,
        local_expansion=layer.local_expansion,
        coordinates=layer.coordinates,
        dtype=dtype,
    )


def upsampling_blocks(config: Config) -> int:
    """Return the number of upsampling blocks in the generator: image side = 4 * 2^blocks."""
    return (config.data.image_size // 4).bit_length() - 1


def has_operator(layer: GraphLayer) -> bool:
    """Return whether the layer has a non-local branch."""
    return OPERATORS[layer.operator.name] is not None


def _has_layer(layer: GraphLayer) -> bool:
    """Return whether there is a layer: one without an operator only has a wider local branch."""
    return has_operator(layer) or layer.local_expansion is not None


def uses_graph(layer: GraphLayer) -> bool:
    """Return whether there is a graph layer whose operator exchanges messages along edges."""
    operator = OPERATORS[layer.operator.name]
    return operator is not None and getattr(operator, "needs_graph", True)


def block_features(config: Config) -> tuple[int, ...]:
    """Return the features of the generator's block 1, 2, ..., up to the last that allows a graph.

    Raises:
        ValueError: the backbone does not support this width.
    """
    backbone = BACKBONES[config.backbone]
    return backbone.generator_features(config.generator.width, upsampling_blocks(config))


def graph_blocks(config: Config) -> tuple[int, ...]:
    """Return the generator's blocks, counted from 1, that contain a graph layer."""
    if not _has_layer(config.generator.graph_layer):
        return ()
    last = len(block_features(config))
    return config.generator.graph_blocks or tuple(range(min(2, last), last + 1))


def graph_convs_of_critic(config: Config) -> tuple[int, ...]:
    """Return the critic's convolutions, counted from 1, that are followed by a graph layer."""
    if not _has_layer(config.critic.graph_layer):
        return ()
    return config.critic.graph_after
