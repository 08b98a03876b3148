"""The generator and the critic of the thesis.

B images, side 4 * 2^n after n blocks, `width` features before the first block, halved by each;
H rows, W columns, F channels of the critic's images.
"""

from functools import partial

import flax.linen as nn
from jax import Array
from jaxtyping import Float, Key

from gcgan_jax.arrays import AnyArray
from gcgan_jax.layers.conv import Conv, StridedConv
from gcgan_jax.layers.linear import DENSE, pointwise
from gcgan_jax.models.base import BaseCritic, BaseGenerator


class Generator(BaseGenerator):
    """Maps latents to images in [-1, 1], thesis figures 4.1 to 4.4.

        dense -> 4 x 4 x width -> n x (upsample, conv, conv or graph conv) -> 1x1 conv -> tanh

    with batch normalisation and ReLU after the dense layer and every (graph) convolution. The 1x1
    convolution is computed in at least float32. Noise is added to the input of a block's second
    (graph) convolution. For the attributes, see `BaseGenerator`; `width` is at least 2^n,
    and each block halves it, rounded down.

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
        conv = partial(Conv, dtype=self.dtype)
        x = activate(self._stem(z), self.stem)
        for block, features in enumerate(block_features(self.width, self.blocks), start=1):
            name = f"block{block}_up"
            x = activate(conv(features, upsample=True, name=name)(x), name)
            x, name = self._second_layer(conv, x, block, keys, statistics)
            x = activate(x, name)
        return nn.tanh(pointwise(DENSE(self.channels, name="to_image"), x))


def block_features(width: int, blocks: int) -> tuple[int, ...]:
    """Return the features of each block, which halves them, rounded down.

    Raises:
        ValueError: none are left.
    """
    if width < 2**blocks:
        raise ValueError(f"must be at least {2**blocks}: each block halves it")
    return tuple(width // 2**block for block in range(1, blocks + 1))


class Critic(BaseCritic):
    """Maps each image to one number, thesis 2.5.1 with the widths of the official WGAN-GP CIFAR-10.

        m x (5x5 convolution with stride 2, leaky ReLU; graph conv, leaky ReLU) -> one linear unit

    with graph convolutions only where configured. As in the thesis, there is no normalisation by
    default. Otherwise, it is that of the features before each leaky ReLU but the first, as in DCGAN
    (Radford et al. 2016, arXiv:1511.06434), or that of all weights. The linear unit is computed in
    at least float32. For the attributes, see `BaseCritic`; 2^m divides H and W.

    Example:
        >>> critic, images = Critic(widths=(4, 6, 8), slope=0.2), jnp.ones((2, 16, 16, 3))
        >>> d, variables = jax.eval_shape(critic.init_with_output, jax.random.key(0), images)
        >>> d.shape, variables["params"]["dense"]["kernel"].shape  # 2 x 2 pixels of 8 features
        ((2,), (32, 1))
    """

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
            if self._has_graph(index):
                name = f"conv{index}_graph"
                x = norm.features(self._graph_layer(x, index, keys, norm, name), name)
                x = nn.leaky_relu(x, self.slope)
        head = norm.weights(DENSE(1, name="dense"))
        return head(x.reshape(x.shape[0], -1))[:, 0]


def conv_sides(side: int, convs: int) -> tuple[int, ...]:
    """Return the side of the feature map after each convolution, which halves it.

    Raises:
        ValueError: it cannot be halved so often.
    """
    if side % 2**convs:
        most = (side & -side).bit_length() - 1
        raise ValueError(f"each halves the images' side of {side}: choose at most {most} widths")
    return tuple(side // 2**conv for conv in range(1, convs + 1))
