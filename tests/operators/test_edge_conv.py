"""EdgeConv against loops that follow its equation."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gcgan_jax import references
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.operators.edge_conv import EdgeConv, edge_conv
from gcgan_jax.platforms import Variant, force_variant
from tests.helpers import VARIANTS, assert_agrees


def inputs(k: int, B: int = 2, N: int = 7, C: int = 3, O: int = 2) -> list[np.ndarray]:
    """h, phi, psi and neighbours, with duplicates and self-loops."""
    rng = np.random.default_rng(k)
    arrays = [rng.normal(size=shape) for shape in ((B, N, C), (C, O), (C, O))]
    return [*arrays, rng.integers(N, size=(B, N, k))]


@pytest.mark.parametrize(("reduction", "k"), [("sum", 1), ("sum", 4), ("mean", 4), ("max", 4)])
def test_edge_conv(reduction: str, k: int) -> None:
    h, phi, psi, neighbours = inputs(k)
    assert_agrees(
        lambda h, *weights: edge_conv(h, neighbours, *weights, reduction),
        lambda h, *weights: references.edge_conv(h, neighbours, *weights, reduction),
        h,
        phi,
        psi,
    )


@pytest.mark.parametrize("reduction", ["sum", "mean", "max"])
def test_edge_weights_multiply_messages(reduction: str) -> None:
    """Multiply by k w_ij; the reference is called with one neighbour at a time."""
    h, phi, psi, neighbours = inputs(3)
    weights = np.random.default_rng(9).uniform(size=neighbours.shape)
    combine = {"sum": np.sum, "mean": np.mean, "max": np.max}[reduction]

    def reference(
        h: np.ndarray, phi: np.ndarray, psi: np.ndarray, weights: np.ndarray
    ) -> np.ndarray:
        messages = [
            3
            * weights[..., j, None]
            * references.edge_conv(h, neighbours[..., j : j + 1], phi, psi)
            for j in range(3)
        ]
        return combine(messages, axis=0)

    assert_agrees(
        lambda h, phi, psi, w: edge_conv(h, neighbours, phi, psi, reduction, w),
        reference,
        h,
        phi,
        psi,
        weights,
    )
    operator = partial(edge_conv, h, neighbours, phi, psi, reduction)
    uniform = np.full(neighbours.shape, 1 / 3)
    with jax.enable_x64(True):
        np.testing.assert_allclose(operator(uniform), operator(), rtol=1e-12)


@pytest.mark.parametrize("images", [1, 9])
@pytest.mark.parametrize("variant", VARIANTS)
def test_any_batch_size(images: int, variant: Variant) -> None:
    h, phi, psi, neighbours = inputs(3, B=images)
    with jax.enable_x64(True), force_variant(variant):
        actual = jax.jit(edge_conv)(h, neighbours, phi, psi)
    expected = references.edge_conv(h, neighbours, phi, psi)
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-12)


def test_duplicate_neighbours_count_twice() -> None:
    h, phi, psi, neighbours = inputs(1)
    once = jax.jit(edge_conv)(h, neighbours, phi, psi)
    twice = jax.jit(edge_conv)(h, np.repeat(neighbours, 2, axis=-1), phi, psi)
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-6)


@pytest.mark.parametrize("reduction", ["", "min", "Sum", None])
def test_unknown_reductions_are_rejected(reduction: str) -> None:
    h, phi, psi, neighbours = inputs(2)
    with pytest.raises(ValueError, match="choose 'sum', 'mean' or 'max'"):
        edge_conv(h, neighbours, phi, psi, reduction)


@pytest.mark.parametrize("reduction", ["sum", "max"])
def test_module_applies_the_function_to_its_parameters(reduction: str) -> None:
    h, _, _, neighbours = inputs(3)
    h = h.astype(np.float32)
    layer = EdgeConv(features=5, reduction=reduction)
    edges = Neighbours(neighbours)
    params = jax.jit(layer.init)(jax.random.key(0), h, edges)["params"]
    assert {name: array.shape for name, array in params.items()} == {"phi": (3, 5), "psi": (3, 5)}
    assert np.all(params["phi"] != params["psi"])
    actual = jax.jit(layer.apply)({"params": params}, h, edges)
    expected = references.edge_conv(h, neighbours, params["phi"], params["psi"], reduction)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("reduction", ["sum", "max"])
def test_edge_conv_lowers_for_accelerators(reduction: str) -> None:
    arrays = [jax.ShapeDtypeStruct((9, 16, 3), jnp.float32)]
    arrays += [jax.ShapeDtypeStruct((9, 16, 4), jnp.int32)]
    arrays += [jax.ShapeDtypeStruct((3, 2), jnp.float32)] * 2
    operator = jax.jit(partial(edge_conv, reduction=reduction))
    exported = jax.export.export(operator, platforms=["tpu", "cuda"])(*arrays)
    assert exported.platforms == ("tpu", "cuda")
