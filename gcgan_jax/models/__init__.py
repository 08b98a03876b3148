"""Registry of backbones, each a pair of generator and critic."""

from dataclasses import dataclass

import flax.linen as nn

from gcgan_jax.models.gcgan import Critic, Generator


@dataclass(frozen=True)
class Backbone:
    """Module classes of both networks."""

    generator: type[nn.Module]
    critic: type[nn.Module]


BACKBONES = {"gcgan": Backbone(Generator, Critic)}
