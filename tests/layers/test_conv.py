"""Both variants of the convolutions against loops, up to second derivatives."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array, lax

from gcgan_jax import references
from gcgan_jax.layers import conv, resampling
from gcgan_jax.platforms import force_variant
from tests.helpers import assert_agrees

SAME = ((1, 1), (1, 1))
HALVING = ((1, 2), (1, 2))  # SAME for 5 taps, stride 2 and even sides


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).normal(size=shape)


def plain(x: Array, kernel: Array, padding: conv.Padding, stride: int = 1) -> Array:
    return lax.conv_general_dilated(
        x, kernel, (stride, stride), padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def plain_upsampled(x: Array, kernel: Array) -> Array:
    return plain(x.repeat(2, axis=1).repeat(2, axis=2), kernel, SAME)


def plain_transposed(x: Array, kernel: Array) -> Array:
    return lax.conv_transpose(x, kernel, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def plain_pooled(x: Array, kernel: Array) -> Array:
    return resampling.mean_pool(plain(x, kernel, SAME))


HALVED = partial(plain, padding=HALVING, stride=2)


def test_reference_with_explicit_padding_matches_same() -> None:
    x, kernel = normal(1, 6, 8, 2), normal(5, 5, 2, 3)
    with jax.enable_x64(True):
        expected = plain(x, kernel, "SAME", stride=2)
        np.testing.assert_allclose(references.conv(x, kernel, HALVING, 2), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("side", "taps", "padding"),
    [
        ((5, 3), (3, 3), SAME),
        ((1, 1), (3, 3), SAME),
        ((3, 4), (2, 2), ((1, 0), (0, 1))),
        ((4, 5), (2, 3), ((0, 0), (0, 2))),
        ((3, 3), (1, 1), ((0, 0), (0, 0))),
    ],
)
def test_conv(side: tuple[int, int], taps: tuple[int, int], padding: conv.Padding) -> None:
    x, kernel = normal(2, *side, 3), normal(*taps, 3, 2)
    reference = partial(references.conv, padding=padding)
    assert_agrees(lambda x, kernel: conv.conv(x, kernel, padding), reference, x, kernel)


@pytest.mark.parametrize("side", [(6, 4), (4, 6), (2, 2)])
def test_strided_conv(side: tuple[int, int]) -> None:
    x, kernel = normal(1, *side, 3), normal(5, 5, 3, 2)
    reference = partial(references.conv, padding=HALVING, stride=2)
    assert_agrees(conv.strided_conv, reference, x, kernel)


@pytest.mark.parametrize("side", [(3, 5)])
def test_upsample_conv(side: tuple[int, int]) -> None:
    x, kernel = normal(1, *side, 3), normal(3, 3, 3, 5)

    def reference(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        return references.conv(references.upsample(x), kernel, SAME)

    assert_agrees(conv.upsample_conv, reference, x, kernel)


@pytest.mark.parametrize("side", [(3, 2)])
def test_transposed_conv(side: tuple[int, int]) -> None:
    x, kernel = normal(1, *side, 3), normal(4, 4, 3, 2)
    assert_agrees(resampling.transposed_conv, references.transposed_conv, x, kernel)


@pytest.mark.parametrize("side", [(4, 2), (2, 6)])
def test_pooled_conv(side: tuple[int, int]) -> None:
    x, kernel = normal(1, *side, 3), normal(3, 3, 3, 2)

    def reference(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        return references.mean_pool(references.conv(x, kernel, SAME))

    assert_agrees(resampling.pooled_conv, reference, x, kernel)


def test_upsample() -> None:
    assert_agrees(resampling.upsample, references.upsample, normal(2, 3, 2, 2))


def penalty_gradients(
    operator: Callable[..., Array], x: Array, kernel: Array
) -> tuple[Array, tuple[Array, Array]]:
    """The norm of the input gradient, as in the gradient penalty, and its gradients."""

    def norm(x: Array, kernel: Array) -> Array:
        gradient = jax.grad(lambda x: jnp.sum(jnp.tanh(operator(x, kernel))))(x)
        return jnp.sum(jnp.sqrt(jnp.sum(gradient**2, axis=(1, 2, 3))))

    return jax.value_and_grad(norm, argnums=(0, 1))(x, kernel)


@pytest.mark.parametrize(
    ("operator", "reference", "side", "taps"),
    [
        (conv.folded_conv, HALVED, (4, 6), 5),
        (conv.paired_conv, HALVED, (4, 6), 5),
        (lambda x, kernel: conv.conv(x, kernel, SAME), partial(plain, padding=SAME), (5, 3), 3),
        (conv.upsample_conv, plain_upsampled, (5, 3), 3),
        (resampling.pooled_conv, plain_pooled, (4, 6), 3),
    ],
    ids=["folded", "paired", "conv", "upsample", "pooled"],
)
def test_second_derivatives(
    operator: Callable[..., Array],
    reference: Callable[..., Array],
    side: tuple[int, int],
    taps: int,
) -> None:
    x, kernel = normal(2, *side, 3), normal(taps, taps, 3, 5) / taps

    @jax.jit
    def compute(x: Array, kernel: Array) -> list[list[Array]]:
        with force_variant("cpu"):
            cpu = jax.tree.leaves(penalty_gradients(operator, x, kernel))
        with force_variant("default"):
            default = jax.tree.leaves(penalty_gradients(operator, x, kernel))
        return [cpu, default, jax.tree.leaves(penalty_gradients(reference, x, kernel))]

    with jax.enable_x64(True):
        for cpu, default, expected in zip(*compute(x, kernel), strict=True):
            assert cpu.dtype == default.dtype == np.float64 and np.any(expected != 0)
            np.testing.assert_allclose(cpu, expected, rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose(default, expected, rtol=1e-10, atol=1e-12)


def test_second_derivatives_on_cpus_compute_kernel_gradients_by_matmuls() -> None:
    """XLA's own ones swap images and features; inside a scan they take 30 times as long."""
    x, kernel = normal(2, 4, 4, 3), normal(3, 3, 3, 5)
    operator = partial(conv.conv, padding=SAME)
    with force_variant("cpu"):
        traced = str(jax.make_jaxpr(partial(penalty_gradients, operator))(x, kernel))
    assert set(re.findall(r"lhs_spec=(\(.*?\))", traced)) == {"(0, 3, 1, 2)"}


@pytest.mark.parametrize(
    ("layer", "operator", "kernel"),
    [
        (conv.Conv(5), partial(plain, padding=SAME), (3, 3, 3, 5)),
        (conv.Conv(5, upsample=True), plain_upsampled, (3, 3, 3, 5)),
        (conv.Conv(5, use_bias=True), partial(plain, padding=SAME), (3, 3, 3, 5)),
        (conv.StridedConv(5), HALVED, (5, 5, 3, 5)),
        (resampling.TransposedConv(5), plain_transposed, (4, 4, 3, 5)),
        (resampling.PooledConv(5, use_bias=True), plain_pooled, (3, 3, 3, 5)),
    ],
    ids=["conv", "upsample", "biased", "strided", "transposed", "pooled"],
)
def test_modules_apply_the_functions_to_their_parameters(
    layer: Any, operator: Callable[..., Array], kernel: tuple[int, ...]
) -> None:
    x = normal(2, 4, 6, 3).astype(np.float32)
    params = jax.eval_shape(layer.init, jax.random.key(0), x)["params"]
    biased = layer.use_bias
    assert params["kernel"].shape == kernel and params["kernel"].dtype == np.float32
    assert set(params) == ({"kernel", "bias"} if biased else {"kernel"})
    bias = np.arange(5, dtype=np.float32)
    params = {"kernel": normal(*kernel).astype(np.float32)} | ({"bias": bias} if biased else {})
    actual = jax.jit(layer.apply)({"params": params}, x)
    expected = operator(x, params["kernel"]) + (bias[None, None, None] if biased else 0)
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)


def test_kernels_are_glorot_normal() -> None:
    init = jax.jit(conv.StridedConv(64).init)
    params = init(jax.random.key(0), jnp.zeros((1, 4, 4, 32)))["params"]
    variance = 2 / (25 * (32 + 64))
    np.testing.assert_allclose(np.var(params["kernel"]), variance, rtol=0.05)
    assert not np.any(params["bias"])


@pytest.mark.parametrize(
    ("operator", "taps"),
    [(conv.upsample_conv, 3), (conv.strided_conv, 5), (resampling.transposed_conv, 4)],
)
def test_accelerators_get_neither_strides_nor_dilation(
    operator: Callable[..., Array], taps: int
) -> None:
    shapes = [(2, 8, 8, 3), (taps, taps, 3, 4)]
    arrays = [jax.ShapeDtypeStruct(shape, np.float32) for shape in shapes]
    exported = jax.export.export(jax.jit(operator), platforms=["tpu", "cuda"])(*arrays)
    module = exported.mlir_module()
    assert "stablehlo.convolution" in module
    for option in ("stride = [2", "lhs_dilate = [2", "rhs_dilate = [2"):
        assert option not in module
