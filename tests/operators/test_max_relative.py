"""Max-relative graph convolution, against loops."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gcgan_jax import references
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.operators.max_relative import MaxRelative, max_relative
from gcgan_jax.platforms import Variant, force_variant
from tests.helpers import VARIANTS, assert_agrees


def inputs(k: int, B: int = 2, N: int = 7, C: int = 3, O: int = 2) -> list[np.ndarray]:
    """h, w, weights and neighbours, with duplicates and self-loops."""
    rng = np.random.default_rng(k)
    h, w = rng.normal(size=(B, N, C)), rng.normal(size=(2 * C, O))
    return [h, w, rng.uniform(size=(B, N, k)), rng.integers(N, size=(B, N, k))]


@pytest.mark.parametrize("k", [1, 4, 11])
def test_max_relative(k: int) -> None:
    h, w, weights, neighbours = inputs(k)
    assert_agrees(
        lambda h, w, weights: max_relative(h, neighbours, w, weights),
        lambda h, w, weights: references.max_relative(h, neighbours, w, weights),
        *(h, w, weights),
    )
    uniform = np.full(neighbours.shape, 1 / k)
    assert_agrees(
        lambda h, w: max_relative(h, neighbours, w),
        lambda h, w: references.max_relative(h, neighbours, w, uniform),
        *(h, w),
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_equal_neighbours_share_the_gradient(variant: Variant) -> None:
    """Node 0 has the neighbours 1, 2 and 3, of which 1 and 2 are equal and the largest."""
    h = np.array([[[0.0], [2.0], [2.0], [1.0]]])
    neighbours, w = np.array([[[1, 2, 3], *[[0] * 3] * 3]]), np.array([[0.0], [1.0]])
    with jax.enable_x64(True), force_variant(variant):
        gradient = jax.jit(jax.grad(lambda h: max_relative(h, neighbours, w)[0, 0, 0]))(h)
    np.testing.assert_array_equal(gradient.ravel(), [-1, 0.5, 0.5, 0])


def test_module_applies_the_function_to_its_parameters() -> None:
    h, _, weights, neighbours = inputs(3)
    layer, h = MaxRelative(features=5), h.astype(np.float32)
    edges = Neighbours(neighbours, weights.astype(np.float32))
    params = jax.jit(layer.init)(jax.random.key(0), h, edges)["params"]
    assert params["w"].shape == (6, 5)
    actual = jax.jit(layer.apply)({"params": params}, h, edges)
    expected = references.max_relative(h, neighbours, params["w"], weights)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)
    rounded = jax.jit(partial(layer.clone(dtype=jnp.bfloat16).apply))({"params": params}, h, edges)
    assert rounded.dtype == jnp.bfloat16
    np.testing.assert_allclose(rounded.astype(np.float32), expected, rtol=0.1, atol=0.1)


def test_it_lowers_for_accelerators() -> None:
    shapes = [((9, 16, 3), "f4"), ((9, 16, 4), "i4"), ((6, 2), "f4"), ((9, 16, 4), "f4")]
    arrays = [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in shapes]
    gradient = jax.grad(lambda *a: jnp.sum(max_relative(*a)), argnums=(0, 2, 3))
    exported = jax.export.export(jax.jit(gradient), platforms=["tpu", "cuda"])(*arrays)
    assert exported.platforms == ("tpu", "cuda")
