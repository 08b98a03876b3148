"""Registry of backbones, each a pair of generator and critic."""

from collections.abc import Callable
from dataclasses import dataclass

import flax.linen as nn

from gcgan_jax.models import dcgan, gcgan, resnet


@dataclass(frozen=True)
class Backbone:
    """Module classes of both networks, and the feature maps that can have graph layers.

    Attributes:
        generator_features: function of the generator's width and number of blocks. Returns the
            features of block 1, 2, ..., up to the last that can have a graph layer or noise.
        critic_sides: function of the image's side and the number of the critic's widths. Returns
            the side of the feature map of each width.

    Both raise ValueError, with a remedy, for numbers that do not fit.

    Example:
        >>> BACKBONES["gcgan"].generator_features(528, 3)
        (264, 132, 66)
    """

    generator: type[nn.Module]
    critic: type[nn.Module]
    generator_features: Callable[[int, int], tuple[int, ...]] = gcgan.block_features
    critic_sides: Callable[[int, int], tuple[int, ...]] = gcgan.conv_sides


BACKBONES = {
    "gcgan": Backbone(gcgan.Generator, gcgan.Critic),
    "dcgan": Backbone(dcgan.Generator, gcgan.Critic, generator_features=dcgan.block_features),
    "resnet": Backbone(resnet.Generator, resnet.Critic, resnet.block_features, resnet.block_sides),
}
