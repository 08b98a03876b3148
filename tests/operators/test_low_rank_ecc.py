"""Lightweight ECC against loops that materialise Theta of every edge, and its stability."""

import math
import re
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from gcgan_jax import references
from gcgan_jax.errors import UserError
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.operators.low_rank_ecc import LowRankECC, low_rank_ecc, stddevs
from gcgan_jax.operators.low_rank_network import LowRankNetwork
from gcgan_jax.platforms import Variant, force_variant
from tests.conftest import make
from tests.helpers import VARIANTS, assert_agrees

ECC = partial(low_rank_ecc, slope=0.2)


def inputs(
    k: int, m: int = 3, B: int = 2, N: int = 5, F: int = 3, O: int = 6, r: int = 2
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """h, neighbours (with duplicates and self-loops) and the filter network's parameters."""
    rng = np.random.default_rng(k)
    shapes = ((F + 2, F), (F,), (F, r), (F, r, F // m), (F, r, O // m))
    weights = [rng.normal(size=shape) for shape in shapes]
    return rng.normal(size=(B, N, F + 2)), rng.integers(N, size=(B, N, k)), weights


def rms(h: np.ndarray, neighbours: np.ndarray, normalise: bool) -> np.ndarray:
    return references.edge_rms(h, neighbours) if normalise else np.ones(len(h))


@pytest.mark.parametrize(
    ("k", "m", "delta", "normalise"),
    [(1, 3, 10.0, True), (4, 3, None, True), (3, 1, 1.5, False)],
)
def test_low_rank_ecc(k: int, m: int, delta: float | None, normalise: bool) -> None:
    h, neighbours, network = inputs(k, m)
    fixed = rms(h, neighbours, normalise)
    assert_agrees(
        lambda h, *w: ECC(h, neighbours, LowRankNetwork(*w), delta=delta, normalise=normalise),
        lambda h, *w: references.low_rank_ecc(h, neighbours, *w, delta=delta, slope=0.2, rms=fixed),
        h,
        *network,
    )


def test_edge_weights_multiply_messages() -> None:
    """Multiply by k w_ij; the reference is called with one neighbour at a time."""
    h, neighbours, network = inputs(3)
    weights = np.random.default_rng(9).uniform(size=neighbours.shape)
    fixed = rms(h, neighbours, True)

    def reference(h: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return sum(
            weights[..., j, None]
            * references.low_rank_ecc(
                h, neighbours[..., j : j + 1], *network, delta=4.0, slope=0.2, rms=fixed
            )
            for j in range(3)
        )

    assert_agrees(
        lambda h, weights: ECC(
            h, neighbours, LowRankNetwork(*network), delta=4.0, normalise=True, weights=weights
        ),
        reference,
        h,
        weights,
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_image_does_not_depend_on_the_others(variant: Variant) -> None:
    h, neighbours, network = inputs(3, B=9)
    h *= np.arange(1, 10)[:, None, None]
    with jax.enable_x64(True), force_variant(variant):
        operator = jax.jit(lambda *edges: ECC(*edges, LowRankNetwork(*network), delta=9.0,
                                              normalise=True))  # fmt: skip
        together = operator(h, neighbours)
        alone = operator(h[4:5], neighbours[4:5])
    np.testing.assert_allclose(together[4:5], alone, rtol=1e-12)


@pytest.mark.parametrize(
    ("normalise", "delta"), [(False, None), (False, 1.0), (True, None), (True, 1.0)]
)
def test_growth_with_the_features(normalise: bool, delta: float | None) -> None:
    """Without bias, the output is of degree 4, or 1 if normalised, and its gradient of one less.

    delta, if any, follows the squared distances, as for gamma to stay the same.
    """
    h, neighbours, network = inputs(3)
    network[1] = np.zeros_like(network[1])

    def norms(scale: float) -> tuple[Array, Array]:
        gamma = delta and delta * scale**2
        out, vjp = jax.vjp(
            lambda h: ECC(
                h, neighbours, LowRankNetwork(*network), delta=gamma, normalise=normalise
            ),
            scale * h,
        )
        return jnp.linalg.norm(out), jnp.linalg.norm(vjp(jnp.ones_like(out))[0])

    with jax.enable_x64(True):
        ratios = np.divide(norms(100.0), norms(0.01))
    degree = 1 if normalise else 4
    np.testing.assert_allclose(np.log(ratios) / math.log(1e4), [degree, degree - 1], atol=1e-6)


def test_gradient_penalty() -> None:
    """The derivative of ||d out / d h||^2 by all weights, along a direction, as a critic needs."""
    h, neighbours, network = inputs(3)
    direction = [np.random.default_rng(5).normal(size=array.shape) for array in network]

    def penalty(step: Array | float) -> Array:
        moved = (w + step * v for w, v in zip(network, direction, strict=True))
        moved = LowRankNetwork(*moved)
        gradient = jax.grad(
            lambda h: jnp.sum(jnp.sin(ECC(h, neighbours, moved, delta=9.0, normalise=True)))
        )(h)
        return jnp.sum(gradient**2)

    with jax.enable_x64(True):
        expected = (penalty(1e-5) - penalty(-1e-5)) / 2e-5
        np.testing.assert_allclose(jax.jit(jax.grad(penalty))(0.0), expected, rtol=1e-5)


@pytest.mark.parametrize("scale", [0.0, 1e-30, 1e15])
def test_extreme_features_are_finite(scale: float) -> None:
    """In float32; with a scale of 0, all features are equal."""
    h, neighbours, network = inputs(2)
    h = jnp.asarray(1.0 + scale * h if scale == 0 else scale * h, jnp.float32)

    def loss(h: Array, network: list[Array]) -> tuple[Array, Array]:
        out = ECC(h, neighbours, LowRankNetwork(*network), delta=None, normalise=True)
        return jnp.sum(jnp.tanh(out)), out

    weights = [jnp.asarray(array, jnp.float32) for array in network]
    gradients, out = jax.jit(jax.grad(loss, argnums=(0, 1), has_aux=True))(h, weights)
    assert all(jnp.all(jnp.isfinite(array)) for array in (out, *jax.tree.leaves(gradients)))


@pytest.mark.parametrize("circulant", [1, 3])
def test_module_has_the_thesis_number_of_parameters(circulant: int) -> None:
    """Fh r (F + O + 1) without circulant layers, and the first layer."""
    h, edges = np.zeros((1, 4, 35), "f"), Neighbours(np.zeros((1, 4, 1), int))
    layer = LowRankECC(66, circulant=circulant)
    shapes = jax.eval_shape(layer.init, jax.random.key(0), h, edges)["params"]
    sizes = {name: array.size for name, array in shapes.items()}
    assert shapes["w_left"].shape == (33, 11, 33 // circulant)
    assert sizes["w_kappa"] == 33 * 11
    assert sizes["w_left"] + sizes["w_right"] == 33 * 11 * (33 + 66) // circulant
    assert sizes["w1"] + sizes["b1"] == 33 * (35 + 1)


@pytest.mark.parametrize("delta", [10.0, None])
@pytest.mark.parametrize("dtype", [None, jnp.bfloat16])
def test_module_applies_the_function_to_its_parameters(delta: float | None, dtype: Any) -> None:
    h, neighbours, _ = inputs(3)
    h, edges = h.astype(np.float32), Neighbours(neighbours)
    gamma = {"attention": delta is not None, "delta": delta or 1.0}
    layer = LowRankECC(6, rank=2, normalise=True, dtype=dtype, **gamma)
    params = jax.jit(layer.init)(jax.random.key(0), h, edges)["params"]
    out, sown = jax.jit(lambda p: layer.apply({"params": p}, h, edges, mutable="diagnostics"))(
        params
    )
    fixed = rms(h, neighbours, True)
    expected = references.low_rank_ecc(h, neighbours, **params, delta=delta, slope=0.2, rms=fixed)
    assert out.dtype == dtype or np.float32
    tolerance = 0.05 if dtype else 1e-5
    np.testing.assert_allclose(out, expected, atol=tolerance * np.abs(expected).max())
    assert set(sown.get("diagnostics", {})) == ({"gamma"} if delta else set())


def test_initialisation() -> None:
    np.testing.assert_allclose(stddevs(35, 11, None), [33**-0.5, 1 / 33, 2.8 / 363**0.5])
    np.testing.assert_allclose(stddevs(35, 11, 7.0)[2] * 363**0.5, 2.8 * math.exp(0.38 * 5))
    np.testing.assert_allclose(stddevs(35, 11, 0.1)[2], 1000 * stddevs(35, 11, None)[2])
    h, edges = np.zeros((1, 4, 35), "f"), Neighbours(np.zeros((1, 4, 1), int))
    params = jax.jit(LowRankECC(33).init)(jax.random.key(0), h, edges)["params"]
    stds = [np.std(params[f"w_{name}"]) for name in ("kappa", "left", "right")]
    np.testing.assert_allclose(stds, stddevs(35, 11, 10.0), rtol=0.1)
    assert not np.any(params["b1"])


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("rank", 5, "rank = 5 is larger than the 4 features in: choose 1 <= rank <= 4"),
        ("circulant", 3, "circulant = 3 does not divide 4 features in and 4 out: choose a common"),
    ],
)
def test_misfit_is_one_line_before_training(field: str, value: int, message: str) -> None:
    path = "generator__graph_layer__operator__low_rank_ecc__"
    fields = {f"{path}rank": 2, f"{path}circulant": 1, f"{path}{field}": value}
    prefix = r"config\.generator\.graph_layer \(block 2\): "
    with pytest.raises(UserError, match=prefix + re.escape(message)):
        make(operator="low_rank_ecc", **fields)
    with pytest.raises(ValueError, match=re.escape(message)):
        LowRankECC(4, **{"rank": 2, "circulant": 1, field: value}).check(4)


@pytest.mark.parametrize("delta", [10.0, None])
def test_operator_and_its_gradient_lower_for_accelerators(delta: float | None) -> None:
    h, neighbours, network = inputs(4, B=9)

    def loss(h: Array, *network: Array) -> Array:
        return jnp.sum(ECC(h, neighbours, LowRankNetwork(*network), delta=delta, normalise=True))

    arrays = [jax.ShapeDtypeStruct(array.shape, jnp.float32) for array in (h, *network)]
    operator = jax.jit(jax.grad(loss, argnums=tuple(range(6))))
    exported = jax.export.export(operator, platforms=["tpu", "cuda"])(*arrays)
    assert exported.platforms == ("tpu", "cuda")
