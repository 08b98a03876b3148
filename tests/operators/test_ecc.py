"""ECC against loops that materialise Theta of every edge."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from gcgan_jax import references
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.operators.ecc import ECC, FilterNetwork, ecc, w2_stddev
from gcgan_jax.operators.edge_attention import edge_attention
from gcgan_jax.platforms import Variant, force_variant
from tests.helpers import VARIANTS, assert_agrees


def inputs(
    k: int, B: int = 2, N: int = 5, C: int = 3, Fh: int = 4, O: int = 2
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """h, neighbours (with duplicates and self-loops) and the filter network's parameters."""
    rng = np.random.default_rng(k)
    shapes = ((C, Fh), (Fh,), (Fh, C, O), (C, O))
    weights = [rng.normal(size=shape) for shape in shapes]
    return rng.normal(size=(B, N, C)), rng.integers(N, size=(B, N, k)), weights


@pytest.mark.parametrize(
    ("k", "delta", "slope"),
    [(1, 10.0, 0.2), (4, 1.5, 0.01), (3, None, 0.2)],
)
def test_ecc(k: int, delta: float | None, slope: float) -> None:
    h, neighbours, weights = inputs(k)
    assert_agrees(
        lambda h, *w: ecc(h, neighbours, FilterNetwork(*w), delta=delta, slope=slope),
        lambda h, *w: references.ecc(h, neighbours, *w, delta=delta, slope=slope),
        h,
        *weights,
    )


def test_edge_weights_multiply_messages() -> None:
    """Multiply by k w_ij; the reference is called with one neighbour at a time."""
    h, neighbours, network = inputs(3)
    weights = np.random.default_rng(9).uniform(size=neighbours.shape)

    def reference(h: np.ndarray, weights: np.ndarray, *network: np.ndarray) -> np.ndarray:
        return sum(
            weights[..., j, None]
            * references.ecc(h, neighbours[..., j : j + 1], *network, delta=4.0, slope=0.2)
            for j in range(3)
        )

    assert_agrees(
        lambda h, weights, *network: ecc(
            h, neighbours, FilterNetwork(*network), delta=4.0, slope=0.2, weights=weights
        ),
        reference,
        h,
        weights,
        *network,
    )
    operator = partial(ecc, h, neighbours, FilterNetwork(*network), delta=4.0, slope=0.2)
    uniform = np.full(neighbours.shape, 1 / 3)
    with jax.enable_x64(True):
        np.testing.assert_allclose(operator(weights=uniform), operator(), rtol=1e-12)


@pytest.mark.parametrize("images", [1, 9])
@pytest.mark.parametrize("variant", VARIANTS)
def test_any_batch_size(images: int, variant: Variant) -> None:
    h, neighbours, weights = inputs(3, B=images)
    with jax.enable_x64(True), force_variant(variant):
        actual = jax.jit(ecc, static_argnames=("delta", "slope"))(
            h, neighbours, FilterNetwork(*weights), delta=10.0, slope=0.2
        )
    expected = references.ecc(h, neighbours, *weights, delta=10.0, slope=0.2)
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("scale", [30.0, 1e15])
def test_attention_underflows_to_zero_not_to_nan(scale: float) -> None:
    h, _, weights = inputs(2)
    h = jnp.asarray(scale * h, jnp.float32)
    neighbours = np.array([[[1, 2], [2, 3], [3, 4], [4, 0], [0, 1]]] * 2)  # no self-loops
    network = FilterNetwork(*(jnp.asarray(w, jnp.float32) for w in weights))

    def loss(h: Array, network: FilterNetwork) -> tuple[Array, Array]:
        out = ecc(h, neighbours, network, delta=1e-2, slope=0.2)
        return jnp.sum(jnp.tanh(out)), out

    gradients, out = jax.jit(jax.grad(loss, argnums=(0, 1), has_aux=True))(h, network)
    assert not jnp.any(out)
    assert all(jnp.all(jnp.isfinite(gradient)) for gradient in jax.tree.leaves(gradients))


@pytest.mark.parametrize("delta", [10.0, None])
def test_self_loops_have_full_attention_and_theta_of_the_biases(delta: float | None) -> None:
    h, _, (w1, b1, w2, b2) = inputs(1)
    self_loops = np.tile(np.arange(5)[:, None], (2, 1, 3))
    with jax.enable_x64(True):
        actual = jax.jit(
            lambda h: ecc(h, self_loops, FilterNetwork(w1, b1, w2, b2), delta=delta, slope=0.2)
        )(h)
    theta = b2 + np.einsum("f,fco->co", references.leaky_relu(b1, 0.2), w2)
    np.testing.assert_allclose(actual, h @ theta, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("variant", VARIANTS)
def test_edge_attention(variant: Variant) -> None:
    h, neighbours, _ = inputs(3, B=9)
    edges = [(b, i, j) for b, i in np.ndindex(9, 5) for j in neighbours[b, i]]
    expected = [references.attention(h[b, i], h[b, j], 4.0) for b, i, j in edges]
    with jax.enable_x64(True), force_variant(variant):
        actual = jax.jit(lambda h: edge_attention(h, neighbours, 4.0))(h)
    assert actual.shape == neighbours.shape
    np.testing.assert_allclose(np.ravel(actual), expected, rtol=1e-12)


@pytest.mark.parametrize(("hidden", "delta"), [(0, 10.0), (6, None)])
def test_module_applies_the_function_to_its_parameters(hidden: int, delta: float | None) -> None:
    h, neighbours, _ = inputs(3)
    h = h.astype(np.float32)
    layer = ECC(2, hidden=hidden or None, attention=delta is not None, delta=delta or 1.0)
    edges = Neighbours(neighbours)
    params = jax.eval_shape(layer.init, jax.random.key(0), h, edges)["params"]
    Fh = hidden or 3
    shapes = {"w1": (3, Fh), "b1": (Fh,), "w2": (Fh, 3, 2), "b2": (3, 2)}
    assert {name: array.shape for name, array in params.items()} == shapes
    rng = np.random.default_rng(0)
    params = {name: rng.normal(size=shape).astype("f") for name, shape in shapes.items()}

    out, sown = jax.jit(lambda p: layer.apply({"params": p}, h, edges, mutable="diagnostics"))(
        params
    )
    expected = references.ecc(h, neighbours, **params, delta=delta, slope=0.2)
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-5)
    diagnostics = sown.get("diagnostics", {})
    assert set(diagnostics) == ({"gamma"} if delta else set())
    if delta:
        gamma = edge_attention(h, neighbours, delta).mean()
        np.testing.assert_allclose(*diagnostics["gamma"], gamma)


def test_initialisation() -> None:
    np.testing.assert_allclose(w2_stddev(16, 4, None), 4 / 8)
    np.testing.assert_allclose(w2_stddev(10, 10, 3.0), 0.4 * np.e)
    np.testing.assert_allclose(w2_stddev(100, 100, 1.0), 0.04 * 1000)  # at most a factor of 1000
    layer = ECC(features=20, hidden=30, delta=10.0, slope=0.2)
    h, neighbours = np.zeros((1, 4, 20)), Neighbours(np.zeros((1, 4, 1), int))
    params = jax.jit(layer.init)(jax.random.key(0), h, neighbours)["params"]
    np.testing.assert_allclose(np.std(params["w2"]), w2_stddev(20, 30, 10.0), rtol=0.05)
    np.testing.assert_allclose(np.var(params["w1"]), 2 / (20 + 30), rtol=0.15)
    assert not np.any(params["b1"]) and not np.any(params["b2"])


@pytest.mark.parametrize("delta", [10.0, None])
def test_ecc_and_its_gradient_lower_for_accelerators(delta: float | None) -> None:
    h, neighbours, weights = inputs(4, B=9)

    def loss(h: Array, *weights: Array) -> Array:
        return jnp.sum(ecc(h, neighbours, FilterNetwork(*weights), delta=delta, slope=0.2))

    arrays = [jax.ShapeDtypeStruct(array.shape, jnp.float32) for array in (h, *weights)]
    operator = jax.jit(jax.grad(loss, argnums=(0, 1, 2, 3, 4)))
    exported = jax.export.export(operator, platforms=["tpu", "cuda"])(*arrays)
    assert exported.platforms == ("tpu", "cuda")
