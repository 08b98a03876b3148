"""Chebyshev polynomials of the Laplacian, against matrices and the spectral definition."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gcgan_jax import references
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.operators.chebyshev import ChebyshevConv, chebyshev_conv
from tests.helpers import assert_agrees


def inputs(k: int, K: int, N: int = 7, C: int = 3, O: int = 2) -> list[np.ndarray]:
    """h, w, weights and neighbours, with duplicates, self-loops and a node without edges."""
    rng = np.random.default_rng(k)
    h, w = rng.normal(size=(2, N, C)), rng.normal(size=(K + 1, C, O))
    neighbours = rng.integers(N - 1, size=(2, N, k))
    neighbours[:, -1] = N - 1
    return [h, w, rng.uniform(size=(2, N, k)), neighbours]


@pytest.mark.parametrize(("k", "K"), [(1, 1), (4, 3), (11, 2)])
def test_chebyshev_conv(k: int, K: int) -> None:
    h, w, weights, neighbours = inputs(k, K)
    assert_agrees(
        lambda h, w, weights: chebyshev_conv(h, neighbours, w, weights),
        lambda h, w, weights: references.chebyshev_conv(h, neighbours, w, weights),
        *(h, w, weights),
    )
    uniform = np.ones(neighbours.shape)
    assert_agrees(
        lambda h, w: chebyshev_conv(h, neighbours, w),
        lambda h, w: references.chebyshev_conv(h, neighbours, w, uniform),
        *(h, w),
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_it_is_a_filter_in_the_spectral_domain(weighted: bool) -> None:
    """Thesis 3.7 to 3.9, U h^(Lambda) U^T f, with the eigenvectors of the normalised Laplacian."""
    h, w, weights, neighbours = inputs(3, 4, N=12)
    given = weights if weighted else np.ones(weights.shape)
    laplacian = np.eye(12) - references.normalised(references.adjacency(neighbours, given))
    with jax.enable_x64(True):
        actual = jax.jit(chebyshev_conv)(h, neighbours, w, weights if weighted else None)
    for b in range(2):
        eigenvalues, U = np.linalg.eigh(laplacian[b])
        assert eigenvalues[0] > -1e-12 and eigenvalues[-1] < 2
        response = np.polynomial.chebyshev.chebval(eigenvalues - 1, w)  # h^ of each pair: [C, O, N]
        transformed = U.T @ h[b]
        expected = U @ np.einsum("con,nc->no", response, transformed)
        np.testing.assert_allclose(actual[b], expected, rtol=1e-10, atol=1e-10)


def test_a_polynomial_of_order_0_is_rejected() -> None:
    h, w, _, neighbours = inputs(2, 0)
    with pytest.raises(ValueError, match="order 0 uses no graph: give at least two matrices"):
        chebyshev_conv(h, neighbours, w)


def test_module_applies_the_function_to_its_parameters() -> None:
    h, _, weights, neighbours = inputs(3, 2)
    layer, h = ChebyshevConv(features=5, order=2), h.astype(np.float32)
    edges = Neighbours(neighbours, weights.astype(np.float32))
    params = jax.jit(layer.init)(jax.random.key(0), h, edges)["params"]
    assert params["w"].shape == (3, 3, 5)
    actual = jax.jit(layer.apply)({"params": params}, h, edges)
    expected = references.chebyshev_conv(h, neighbours, params["w"], weights)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)
    rounded = jax.jit(partial(layer.clone(dtype=jnp.bfloat16).apply))({"params": params}, h, edges)
    assert rounded.dtype == jnp.bfloat16
    np.testing.assert_allclose(rounded.astype(np.float32), expected, rtol=0.1, atol=0.05)


def test_initial_weights_are_smaller_by_the_root_of_their_number() -> None:
    edges = Neighbours(np.zeros((1, 2, 1), np.int32))
    for order in (1, 3):
        layer = ChebyshevConv(features=300, order=order)
        w = jax.jit(layer.init)(jax.random.key(0), np.zeros((1, 2, 200)), edges)["params"]["w"]
        np.testing.assert_allclose(np.std(w), np.sqrt(2 / 500 / (order + 1)), rtol=0.02)


def test_it_lowers_for_accelerators() -> None:
    shapes = [((9, 16, 3), "f4"), ((9, 16, 4), "i4"), ((3, 3, 2), "f4"), ((9, 16, 4), "f4")]
    arrays = [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in shapes]
    gradient = jax.grad(lambda *a: jnp.sum(chebyshev_conv(*a)), argnums=(0, 2, 3))
    exported = jax.export.export(jax.jit(gradient), platforms=["tpu", "cuda"])(*arrays)
    assert exported.platforms == ("tpu", "cuda")
