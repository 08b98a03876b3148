"""Both networks, generator and critic, of each backbone."""

from dataclasses import dataclass

import flax.linen as nn

from gcgan_jax.models.gcgan import Critic, Generator


@dataclass(frozen=True)
class Backbone:
    generator: type[nn.Module]
    critic: type[nn.Module]


BACKBONES = {"gcgan": Backbone(Generator, Critic)}
