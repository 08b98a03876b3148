"""A small residual classifier of 32x32 images, whose weights are bundled with the package.

B images, H rows, W columns, F features.
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, UInt8

from gcgan_jax.arrays import AnyArray
from gcgan_jax.layers.conv import Conv

SIDE = 32
MEAN, STD = 120.0, 64.0  # approximate pixel statistics of natural images


def max_pool(x: Float[Array, "B H W F"]) -> Float[Array, "B H/2 W/2 F"]:
    """Compute the maxima of 2x2 blocks of pixels."""
    B, H, W, F = x.shape
    return x.reshape(B, H // 2, 2, W // 2, 2, F).max(axis=(2, 4))


class Classifier(nn.Module):
    """Computes features and logits of images.

        conv -> a stage for each further width: conv, 2x2 max pooling, optionally a residual block

    with batch normalisation and ReLU after every convolution, and two convolutions per residual
    block. The features are the maxima over the last feature map. Widths and blocks were chosen for
    accuracy per second of training on two CPU cores.

    Attributes:
        widths: features of the first convolution and of each stage.
        residual: stages, counted from 1, that end in a residual block.
        classes: number of logits.
    """

    widths: tuple[int, ...] = (32, 48, 96, 128)
    residual: tuple[int, ...] = (1, 3)
    classes: int = 10

    @nn.compact
    def __call__(
        self, images: UInt8[AnyArray, "B 32 32 3"], train: bool = False
    ) -> tuple[Float[Array, "B {self.widths[-1]}"], Float[Array, "B {self.classes}"]]:
        norm = partial(nn.BatchNorm, use_running_average=not train, momentum=0.9)

        def unit(
            x: Float[Array, "B H W _"], features: int, name: str
        ) -> Float[Array, "B H W {features}"]:
            return nn.relu(norm(name=f"{name}_norm")(Conv(features, name=name)(x)))

        x = (jnp.asarray(images, jnp.float32) - MEAN) / STD
        x = unit(x, self.widths[0], "stem")
        for stage, features in enumerate(self.widths[1:], start=1):
            x = max_pool(unit(x, features, f"stage{stage}"))
            if stage in self.residual:
                y = unit(x, features, f"stage{stage}_first")
                x = x + unit(y, features, f"stage{stage}_second")
        x = x.max(axis=(1, 2))
        return x, nn.Dense(self.classes, name="logits")(x)
