"""Convolutions in the formulation that is fastest on each platform, equivalent to plain ones.

B images, H rows, W columns, F features in, O features out, T x U taps of a kernel.
XLA on a CPU is slow at kernel gradients of convolutions inside a scan, at transposed kernels and at
strides: these become matmuls there. Accelerators get convolutions without stride or dilation.
"""

from collections.abc import Callable
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax.linen.dtypes import promote_dtype
from jax import Array, lax
from jax.typing import DTypeLike
from jaxtyping import Float

from gcgan_jax.arrays import AnyArray
from gcgan_jax.layers.linear import linear
from gcgan_jax.platforms import by_platform

Padding = tuple[tuple[int, int], tuple[int, int]]


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def conv(
    x: Float[Array, "B H W F"], kernel: Float[Array, "T U F O"], padding: Padding
) -> Float[Array, "B _ _ O"]:
    """Compute the cross-correlation of zero-padded x with stride 1.

    Its derivatives call `conv` again, so that those of the gradient penalty are fast as well.
    """
    return direct_conv(x, kernel, padding)


def _conv_forward(
    x: Float[Array, "B H W F"], kernel: Float[Array, "T U F O"], padding: Padding
) -> tuple[Float[Array, "B _ _ O"], tuple[Array, Array]]:
    return conv(x, kernel, padding), (x, kernel)


def _conv_backward(
    padding: Padding, saved: tuple[Array, Array], cotangent: Float[AnyArray, "B _ _ O"]
) -> tuple[Float[Array, "B H W F"], Float[Array, "T U F O"]]:
    (x, kernel), cotangent = saved, jnp.asarray(cotangent)
    _, kernel_vjp = jax.vjp(lambda kernel: direct_conv(x, kernel, padding), kernel)
    kernel_cotangent = by_platform(
        x,
        cotangent,
        cpu=lambda x, cotangent: kernel_gradient(x, cotangent, padding, kernel.shape),
        default=lambda _, cotangent: kernel_vjp(cotangent)[0],
    )
    return input_gradient(cotangent, kernel, padding), kernel_cotangent


conv.defvjp(_conv_forward, _conv_backward)


def input_gradient(
    cotangent: Float[Array, "B _ _ O"], kernel: Float[Array, "T U F O"], padding: Padding
) -> Float[Array, "B H W F"]:
    """Compute the gradient of `conv` with respect to x: a convolution with the flipped kernel."""
    flipped = kernel[::-1, ::-1].swapaxes(2, 3)
    (top, bottom), (left, right) = padding
    rows, columns = kernel.shape[0] - 1, kernel.shape[1] - 1
    complement = ((rows - top, rows - bottom), (columns - left, columns - right))
    return conv(cotangent, flipped, complement)


def kernel_gradient(
    x: Float[Array, "B H W F"],
    cotangent: Float[Array, "B _ _ O"],
    padding: Padding,
    shape: tuple[int, ...],
) -> Float[Array, "T U F O"]:
    """Compute the gradient of `conv` with respect to its kernel (of `shape`): a matmul per tap."""
    x = jnp.pad(x, ((0, 0), *padding, (0, 0)))
    H, W, O = cotangent.shape[1:]
    cotangent = cotangent.reshape(-1, O)
    taps = [
        x[:, i : i + H, j : j + W].reshape(-1, x.shape[-1]).T @ cotangent
        for i in range(shape[0])
        for j in range(shape[1])
    ]
    return jnp.stack(taps).reshape(shape)


def direct_conv(
    x: Float[Array, "B H W F"], kernel: Float[Array, "T U F O"], padding: Padding
) -> Float[Array, "B _ _ O"]:
    """Compute `conv` as one XLA convolution, in both passes."""
    return lax.conv_general_dilated(
        x, kernel, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def strided_conv(
    x: Float[Array, "B H W F"], kernel: Float[Array, "5 5 F O"]
) -> Float[Array, "B H/2 W/2 O"]:
    """Compute a 5x5 convolution with stride 2 and SAME padding, for even sides."""
    return by_platform(x, kernel, cpu=paired_conv, default=folded_conv)


def paired_conv(
    x: Float[Array, "B H W F"], kernel: Float[Array, "5 5 F O"]
) -> Float[Array, "B H/2 W/2 O"]:
    """Compute `strided_conv` by matmuls, two output columns at a time: 7 taps instead of 10.

    Winograd's minimal filtering (Lavin & Gray 2016, arXiv:1509.09308): from columns a0 ... a6 of x
    and taps g0 ... g4 of a kernel row, the output columns are m1 + m2 + m3 and m2 - m3 - m4 with

        m1 = (a0 - a4) g0                 + (a1 - a3) g1
        m2 = (a2 + a4) (g0 + g2 + g4) / 2 + a3 (g1 + g3)
        m3 = (a4 - a2) (g0 - g2 + g4) / 2
        m4 = (a2 - a6) g4                 + (a3 - a5) g3
    """
    B, H, W, F = x.shape
    pairs, O = -(-W // 4), kernel.shape[-1]
    x = jnp.pad(x, ((0, 0), (1, 2), (1, 4 * pairs + 3 - W), (0, 0)))
    x = x.reshape(B, H + 3, pairs + 1, 4, F)
    a = [x[:, :, :-1, i] for i in range(4)] + [x[:, :, 1:, i] for i in range(3)]
    g = [kernel[:, j] for j in range(5)]  # [5, F, O] each
    factors = [  # the columns of x and the taps that make up each of m1 to m4
        ([a[0] - a[4], a[1] - a[3]], [g[0], g[1]]),
        ([a[2] + a[4], a[3]], [(g[0] + g[2] + g[4]) / 2, g[1] + g[3]]),
        ([a[4] - a[2]], [(g[0] - g[2] + g[4]) / 2]),
        ([a[2] - a[6], a[3] - a[5]], [g[4], g[3]]),
    ]

    def matmul(columns: list[Array], taps: list[Array]) -> Array:
        patches = [column[:, i : i + H : 2] for i in range(5) for column in columns]
        weights = jnp.stack(taps, axis=1).reshape(-1, O)
        return linear(jnp.concatenate(patches, axis=-1), weights)  # [B, H/2, pairs, O]

    m1, m2, m3, m4 = (matmul(*factor) for factor in factors)
    out = jnp.stack([m1 + m2 + m3, m2 - m3 - m4], axis=3).reshape(B, H // 2, 2 * pairs, O)
    return out[:, :, : W // 2]


def folded_conv(
    x: Float[Array, "B H W F"], kernel: Float[Array, "5 5 F O"]
) -> Float[Array, "B H/2 W/2 O"]:
    """Compute `strided_conv` as a 3x3 convolution with stride 1 on 2x2 blocks as channels."""
    B, H, W, F = x.shape
    O = kernel.shape[-1]
    kernel = jnp.pad(kernel, ((1, 0), (1, 0), (0, 0), (0, 0))).reshape(3, 2, 3, 2, F, O)
    x = x.reshape(B, H // 2, 2, W // 2, 2, F).transpose(0, 1, 3, 2, 4, 5)
    kernel = kernel.transpose(0, 2, 1, 3, 4, 5).reshape(3, 3, 4 * F, O)
    return direct_conv(x.reshape(B, H // 2, W // 2, 4 * F), kernel, ((1, 1), (1, 1)))


def upsample_conv(
    x: Float[Array, "B H W F"], kernel: Float[Array, "3 3 F O"]
) -> Float[Array, "B 2*H 2*W O"]:
    """Compute a 3x3 SAME convolution of x after nearest-neighbour upsampling by 2.

    Each of the four output phases is a 2x2 convolution of x whose taps are sums of the kernel's:
    rows (w0, w1 + w2) for even output rows and (w0 + w1, w2) for odd ones; likewise for columns.
    """
    # [phase, tap of the 2x2 kernel, tap of the 3x3 kernel]
    sums = np.array([[[1, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]], dtype=kernel.dtype)
    return phase_convs(x, jnp.einsum("art,bsu,tufo->abrsfo", sums, sums, kernel))


def phase_convs(
    x: Float[Array, "B H W F"], kernels: Float[Array, "2 2 2 2 F O"]
) -> Float[Array, "B 2*H 2*W O"]:
    """Interleave 2x2 convolutions of x: [a, b] gives rows 2 i + a and columns 2 j + b."""
    B, H, W, _ = x.shape
    phases = [
        [conv(x, kernels[a, b], ((1 - a, a), (1 - b, b))) for b in range(2)] for a in range(2)
    ]
    return jnp.stack([jnp.stack(row, axis=3) for row in phases], axis=2).reshape(
        B, 2 * H, 2 * W, -1
    )


class ConvLayer(nn.Module):
    """Parameters of a convolution; subclasses say which one.

    Attributes:
        features: number of output features O.
        use_bias: whether a bias is added.
        kernel_init: initialiser of the kernel, Glorot normal unless given.
        dtype: dtype of the computation; None: that of the inputs.
    """

    features: int
    use_bias: bool = False
    kernel_init: nn.initializers.Initializer = nn.initializers.glorot_normal()
    dtype: DTypeLike | None = None

    def _convolve(
        self, operator: Callable[[Array, Array], Array], x: Float[AnyArray, "B H W F"], taps: int
    ) -> Float[Array, "B _ _ {self.features}"]:
        shape = (taps, taps, x.shape[-1], self.features)
        kernel = self.param("kernel", self.kernel_init, shape, float)
        if not self.use_bias:
            return operator(*promote_dtype(x, kernel, dtype=self.dtype))
        bias = self.param("bias", nn.initializers.zeros, (self.features,), float)
        inputs, kernel, bias = promote_dtype(x, kernel, bias, dtype=self.dtype)
        return operator(inputs, kernel) + bias[None, None, None]


class Conv(ConvLayer):
    """3x3 SAME convolution; `upsample` doubles both sides first.

    Example:
        >>> kernel = jnp.ones((3, 3, 1, 1))  # sums over the window
        >>> out = Conv(features=1).apply({"params": {"kernel": kernel}}, jnp.ones((1, 3, 3, 1)))
        >>> out[0, :, :, 0].tolist()
        [[4.0, 6.0, 4.0], [6.0, 9.0, 6.0], [4.0, 6.0, 4.0]]
    """

    upsample: bool = False

    @nn.compact
    def __call__(self, x: Float[AnyArray, "B H W F"]) -> Float[Array, "B _ _ {self.features}"]:
        operator = upsample_conv if self.upsample else partial(conv, padding=((1, 1), (1, 1)))
        return self._convolve(operator, x, taps=3)


class StridedConv(ConvLayer):
    """5x5 convolution with stride 2; halves both sides, which are even.

    Example:
        >>> params = {"kernel": jnp.ones((5, 5, 1, 1)), "bias": jnp.zeros(1)}
        >>> out = StridedConv(features=1).apply({"params": params}, jnp.ones((1, 4, 4, 1)))
        >>> out[0, :, :, 0].tolist()
        [[16.0, 12.0], [12.0, 9.0]]
    """

    use_bias: bool = True

    @nn.compact
    def __call__(self, x: Float[AnyArray, "B H W F"]) -> Float[Array, "B H/2 W/2 {self.features}"]:
        return self._convolve(strided_conv, x, taps=5)
