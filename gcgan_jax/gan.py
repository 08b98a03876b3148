"""Both players in one record, as a config describes them."""

from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from gcgan_jax.config import Config
from gcgan_jax.layers.ecc import ECC
from gcgan_jax.layers.edge_conv import EdgeConv
from gcgan_jax.layers.graph_conv import GraphConv
from gcgan_jax.models.critic import Critic
from gcgan_jax.models.generator import Generator


class GAN(NamedTuple):
    generator: Generator
    critic: Critic
    latent_size: int
    image_shape: tuple[int, int, int]


def build_gan(config: Config, axis_name: str | None = None) -> GAN:
    """The players of a config; batch statistics are averaged over `axis_name`, if given."""
    g = config.generator
    dtype = jnp.bfloat16 if config.compute_dtype == "bfloat16" else None  # as the parameters
    ecc = partial(
        ECC,
        hidden=g.ecc.hidden,
        delta=g.ecc.delta if g.ecc.attention else None,
        slope=g.ecc.slope,
        dtype=dtype,
    )
    edge_conv = partial(EdgeConv, reduction=g.edge_conv.reduction, dtype=dtype)
    non_local = ecc if g.non_local == "ecc" else edge_conv
    norm = partial(
        nn.BatchNorm,
        momentum=g.norm_momentum,
        epsilon=g.norm_epsilon,
        dtype=dtype,
        param_dtype=float,
        axis_name=axis_name,
    )
    generator = Generator(
        blocks=config.blocks,
        width=g.width,
        channels=config.data.channels,
        graph_blocks=config.graph_blocks,
        graph_conv=partial(GraphConv, k=g.k, non_local=non_local, dtype=dtype),
        norm=norm,
        dtype=dtype,
    )
    critic = Critic(config.critic.widths, config.critic.slope, dtype)
    side = config.data.image_size
    return GAN(generator, critic, g.latent_size, (side, side, config.data.channels))


def images_of(gan: GAN, variables: Any, z: Array, batch_norm: str = "running") -> Array:
    """Images of latents: [B, latent] -> uint8 [B, H, W, F].

    They are normalised by the running averages in `variables`, or by the statistics of the "batch".
    """
    if batch_norm == "batch":
        images, _ = gan.generator.apply(variables, z, train=True, mutable=["batch_stats"])
    else:
        images = gan.generator.apply(variables, z, train=False)
    return jnp.round((images + 1) * 127.5).astype(jnp.uint8)
