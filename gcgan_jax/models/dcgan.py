"""The generator of DCGAN: Radford et al. 2016, arXiv:1511.06434; thesis 2.4.6.

DCGAN's critic is that of the thesis, `gcgan.Critic`, with batch normalisation. B images.
"""

import flax.linen as nn
from jax import Array
from jaxtyping import Float, Key

from gcgan_jax.arrays import AnyArray
from gcgan_jax.layers.resampling import TransposedConv
from gcgan_jax.models.base import BaseGenerator
from gcgan_jax.models.gcgan import block_features as halved_by_each


class Generator(BaseGenerator):
    """Maps latents to images in [-1, 1] by n transposed convolutions with stride 2.

        dense -> 4 x 4 x width -> (n - 1) x (transposed conv; graph conv) -> transposed conv -> tanh

    with batch normalisation and ReLU after all layers but the last, whose output is the image,
    computed in at least float32. Each of the others halves the features; noise and graph
    convolutions follow where configured. Kernels are 4x4: the paper states no size, and with a
    multiple of the stride, all pixels of a map see equally many taps. Weights are Glorot normal.
    For the attributes, see `BaseGenerator`; `width` is at least 2^(n - 1)
    and is rounded down where it is halved.
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
        x = activate(self._stem(z), self.stem)
        for block, features in enumerate(block_features(self.width, self.blocks), start=1):
            name = f"block{block}_up"
            x = activate(TransposedConv(features, dtype=self.dtype, name=name)(x), name)
            x = self._noisy(x, block, keys)
            if self._has_graph(block):
                x = activate(*self._graph_layer(x, block, keys, statistics))
        return nn.tanh(TransposedConv(self.channels, use_bias=True, name="to_image")(x))


def block_features(width: int, blocks: int) -> tuple[int, ...]:
    """Return the features of each block but the last, which makes the image.

    Raises:
        ValueError: none are left.
    """
    return halved_by_each(width, blocks - 1)
