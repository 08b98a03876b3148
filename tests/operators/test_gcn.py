"""Graph convolution with the normalised adjacency matrix, against loops."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gcgan_jax import references
from gcgan_jax.graphs.controls import self_loops
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.operators.gcn import GCN, gcn
from tests.helpers import assert_agrees


def inputs(k: int, B: int = 2, N: int = 7, C: int = 3, O: int = 2) -> list[np.ndarray]:
    """h, w, weights and neighbours, with duplicates and self-loops."""
    rng = np.random.default_rng(k)
    h, w = rng.normal(size=(B, N, C)), rng.normal(size=(C, O))
    return [h, w, rng.uniform(size=(B, N, k)), rng.integers(N, size=(B, N, k))]


@pytest.mark.parametrize("k", [1, 4, 11])
def test_gcn(k: int) -> None:
    h, w, weights, neighbours = inputs(k)
    assert_agrees(
        lambda h, w, weights: gcn(h, neighbours, w, weights),
        lambda h, w, weights: references.gcn(h, neighbours, w, weights),
        *(h, w, weights),
    )
    uniform = np.full(neighbours.shape, 1 / k)
    assert_agrees(
        lambda h, w: gcn(h, neighbours, w),
        lambda h, w: references.gcn(h, neighbours, w, uniform),
        *(h, w),
    )


def test_without_neighbours_it_is_a_1x1_convolution() -> None:
    h, w, _, _ = inputs(1)
    loops = np.broadcast_to(self_loops(1, 7, 3), (2, 7, 3))
    with jax.enable_x64(True):
        np.testing.assert_allclose(jax.jit(gcn)(h, loops, w), h @ w, rtol=1e-12)


def test_module_applies_the_function_to_its_parameters() -> None:
    h, _, weights, neighbours = inputs(3)
    layer, h = GCN(features=5), h.astype(np.float32)
    edges = Neighbours(neighbours, weights.astype(np.float32))
    params = jax.jit(layer.init)(jax.random.key(0), h, edges)["params"]
    assert params["w"].shape == (3, 5)
    actual = jax.jit(layer.apply)({"params": params}, h, edges)
    expected = references.gcn(h, neighbours, params["w"], weights)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)
    rounded = jax.jit(partial(layer.clone(dtype=jnp.bfloat16).apply))({"params": params}, h, edges)
    assert rounded.dtype == jnp.bfloat16
    np.testing.assert_allclose(rounded.astype(np.float32), expected, rtol=0.1, atol=0.05)


def test_it_lowers_for_accelerators() -> None:
    shapes = [((9, 16, 3), "f4"), ((9, 16, 4), "i4"), ((3, 2), "f4"), ((9, 16, 4), "f4")]
    arrays = [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in shapes]
    gradient = jax.grad(lambda *a: jnp.sum(gcn(*a)), argnums=(0, 2, 3))
    exported = jax.export.export(jax.jit(gradient), platforms=["tpu", "cuda"])(*arrays)
    assert exported.platforms == ("tpu", "cuda")
