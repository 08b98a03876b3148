"""The Inception network of 2015-12-05, on which Inception Score and FID are based.

B images, H rows, W columns, F features. Modules are named as in the published weights.
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Real, UInt8

from gcgan_jax.arrays import AnyArray

SIDE = 299

Layer = tuple[str, int, tuple[int, int]]  # name, features, kernel size
max_pool = partial(nn.max_pool, window_shape=(3, 3))
average_pool = partial(
    nn.avg_pool, window_shape=(3, 3), strides=(1, 1), padding="SAME", count_include_pad=False
)


def resize(
    images: Real[AnyArray, "B H W F"], side: int = SIDE
) -> Float[Array, "B {side} {side} F"]:
    """Resize bilinearly as TensorFlow 1 does.

    Output pixel i lies at i * H / side, without the half-pixel shift of later versions; the last
    pixel is repeated at the border.
    """
    images = images.astype(jnp.result_type(float))
    return _resize_axis(_resize_axis(images, 2, side), 1, side)


def _resize_axis(x: Float[AnyArray, "B _ _ F"], axis: int, size: int) -> Float[Array, "B _ _ F"]:
    old = x.shape[axis]
    position = np.arange(size, dtype=np.float32) * np.float32(old / size)
    low = position.astype(np.int32)
    high = np.minimum(low + 1, old - 1)
    shape = [1] * x.ndim
    shape[axis] = size
    below, above = jnp.take(x, low, axis), jnp.take(x, high, axis)
    return below + (above - below) * (position - low).reshape(shape)


class Unit(nn.Module):
    """Convolution, batch normalisation by running averages, ReLU."""

    features: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1
    padding: str = "SAME"

    @nn.compact
    def __call__(self, x: Float[Array, "B H W F"]) -> Float[Array, "B _ _ {self.features}"]:
        strides = (self.stride, self.stride)
        conv = nn.Conv(
            self.features, self.kernel, strides, self.padding, use_bias=False, name="conv"
        )
        return nn.relu(nn.BatchNorm(use_running_average=True, epsilon=1e-3, name="bn")(conv(x)))


def chain(x: Float[Array, "B H W _"], *layers: Layer) -> Float[Array, "B H W _"]:
    """Apply units one after the other."""
    for name, features, kernel in layers:
        x = Unit(features, kernel, name=name)(x)
    return x


def halve(
    x: Float[Array, "B H W _"], name: str, features: int
) -> Float[Array, "B (H-1)//2 (W-1)//2 {features}"]:
    """Apply a unit with stride 2."""
    return Unit(features, (3, 3), 2, "VALID", name=name)(x)


def join(*branches: Float[Array, "B H W _"]) -> Float[Array, "B H W _"]:
    return jnp.concatenate(branches, axis=-1)


class InceptionA(nn.Module):
    pool_features: int

    @nn.compact
    def __call__(
        self, x: Float[Array, "B H W _"]
    ) -> Float[Array, "B H W {224+self.pool_features}"]:
        return join(
            chain(x, ("branch1x1", 64, (1, 1))),
            chain(x, ("branch5x5_1", 48, (1, 1)), ("branch5x5_2", 64, (5, 5))),
            chain(
                x,
                ("branch3x3dbl_1", 64, (1, 1)),
                ("branch3x3dbl_2", 96, (3, 3)),
                ("branch3x3dbl_3", 96, (3, 3)),
            ),
            chain(average_pool(x), ("branch_pool", self.pool_features, (1, 1))),
        )


class InceptionB(nn.Module):
    @nn.compact
    def __call__(self, x: Float[Array, "B H W 288"]) -> Float[Array, "B (H-1)//2 (W-1)//2 768"]:
        double = chain(x, ("branch3x3dbl_1", 64, (1, 1)), ("branch3x3dbl_2", 96, (3, 3)))
        return join(
            halve(x, "branch3x3", 384),
            halve(double, "branch3x3dbl_3", 96),
            max_pool(x, strides=(2, 2)),
        )


class InceptionC(nn.Module):
    inner: int

    @nn.compact
    def __call__(self, x: Float[Array, "B H W 768"]) -> Float[Array, "B H W 768"]:
        c = self.inner
        return join(
            chain(x, ("branch1x1", 192, (1, 1))),
            chain(
                x,
                ("branch7x7_1", c, (1, 1)),
                ("branch7x7_2", c, (1, 7)),
                ("branch7x7_3", 192, (7, 1)),
            ),
            chain(
                x,
                ("branch7x7dbl_1", c, (1, 1)),
                ("branch7x7dbl_2", c, (7, 1)),
                ("branch7x7dbl_3", c, (1, 7)),
                ("branch7x7dbl_4", c, (7, 1)),
                ("branch7x7dbl_5", 192, (1, 7)),
            ),
            chain(average_pool(x), ("branch_pool", 192, (1, 1))),
        )


class InceptionD(nn.Module):
    @nn.compact
    def __call__(self, x: Float[Array, "B H W 768"]) -> Float[Array, "B (H-1)//2 (W-1)//2 1280"]:
        seven = chain(
            x,
            ("branch7x7x3_1", 192, (1, 1)),
            ("branch7x7x3_2", 192, (1, 7)),
            ("branch7x7x3_3", 192, (7, 1)),
        )
        return join(
            halve(chain(x, ("branch3x3_1", 192, (1, 1))), "branch3x3_2", 320),
            halve(seven, "branch7x7x3_4", 192),
            max_pool(x, strides=(2, 2)),
        )


class InceptionE(nn.Module):
    """The kind of the last two blocks; the last one uses max pooling instead of average pooling."""

    use_max_pool: bool

    @nn.compact
    def __call__(self, x: Float[Array, "B H W _"]) -> Float[Array, "B H W 2048"]:
        three = chain(x, ("branch3x3_1", 384, (1, 1)))
        double = chain(x, ("branch3x3dbl_1", 448, (1, 1)), ("branch3x3dbl_2", 384, (3, 3)))
        pool = partial(max_pool, strides=(1, 1), padding="SAME")
        pooled = pool(x) if self.use_max_pool else average_pool(x)
        return join(
            chain(x, ("branch1x1", 320, (1, 1))),
            chain(three, ("branch3x3_2a", 384, (1, 3))),
            chain(three, ("branch3x3_2b", 384, (3, 1))),
            chain(double, ("branch3x3dbl_3a", 384, (1, 3))),
            chain(double, ("branch3x3dbl_3b", 384, (3, 1))),
            chain(pooled, ("branch_pool", 192, (1, 1))),
        )


class Inception(nn.Module):
    """Computes the features of images, and their logits without bias.

    Szegedy et al. 2016, arXiv:1512.00567, as in the graph `classify_image_graph_def.pb` of
    2015-12-05: images are resized as in TensorFlow 1 and scaled by (x - 128) / 128, and average
    pooling excludes zero padding.
    """

    @nn.compact
    def __call__(
        self, images: UInt8[AnyArray, "B H W 3"]
    ) -> tuple[Float[Array, "B 2048"], Float[Array, "B 1008"]]:
        x = (resize(images) - 128) / 128
        x = halve(x, "Conv2d_1a_3x3", 32)  # [B, 149, 149, 32]
        x = Unit(32, (3, 3), padding="VALID", name="Conv2d_2a_3x3")(x)
        x = Unit(64, (3, 3), name="Conv2d_2b_3x3")(x)
        x = max_pool(x, strides=(2, 2))  # [B, 73, 73, 64]
        x = Unit(80, name="Conv2d_3b_1x1")(x)
        x = Unit(192, (3, 3), padding="VALID", name="Conv2d_4a_3x3")(x)
        x = max_pool(x, strides=(2, 2))  # [B, 35, 35, 192]
        for letter, pool_features in zip("bcd", (32, 64, 64), strict=True):
            x = InceptionA(pool_features, name=f"Mixed_5{letter}")(x)
        x = InceptionB(name="Mixed_6a")(x)  # [B, 17, 17, 768]
        for letter, inner in zip("bcde", (128, 160, 160, 192), strict=True):
            x = InceptionC(inner, name=f"Mixed_6{letter}")(x)
        x = InceptionD(name="Mixed_7a")(x)  # [B, 8, 8, 1280]
        x = InceptionE(use_max_pool=False, name="Mixed_7b")(x)
        x = InceptionE(use_max_pool=True, name="Mixed_7c")(x)
        features = x.mean(axis=(1, 2))
        return features, nn.Dense(1008, use_bias=False, name="fc")(features)


def from_torch(weights: dict[str, np.ndarray]) -> dict:
    """Convert torch-fidelity's weights to variables of `Inception`, without the logits' bias.

    Raises:
        KeyError: a weight has an unknown name.
    """
    variables: dict = {"params": {}, "batch_stats": {}}
    for name, value in weights.items():
        *path, kind = name.split(".")
        if kind == "num_batches_tracked" or name == "fc.bias":
            continue
        collection, leaf = LEAVES[path[-1], kind]
        module = variables[collection]
        for part in path:
            module = module.setdefault(part, {})
        axes = {4: (2, 3, 1, 0), 2: (1, 0)}.get(value.ndim)
        module[leaf] = np.ascontiguousarray(value.transpose(axes)) if axes else value
    return variables


LEAVES = {
    ("conv", "weight"): ("params", "kernel"),
    ("fc", "weight"): ("params", "kernel"),
    ("bn", "weight"): ("params", "scale"),
    ("bn", "bias"): ("params", "bias"),
    ("bn", "running_mean"): ("batch_stats", "mean"),
    ("bn", "running_var"): ("batch_stats", "var"),
}
