"""kNN in learned features, against loops."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from gcgan_jax import references
from gcgan_jax.graphs.soft_knn import SoftKNN, soft_knn
from tests.helpers import assert_agrees


def inputs(H: int, W: int, B: int = 2, F: int = 3, D: int = 2) -> list[np.ndarray]:
    """x, w_q, w_p and the temperature."""
    rng = np.random.default_rng(0)
    return [*(rng.normal(size=shape) for shape in ((B, H, W, F), (F, D), (F, D))), np.array(1.5)]


@pytest.mark.parametrize("metric", ["euclidean", "product"])
@pytest.mark.parametrize(("side", "k"), [((4, 4), 1), ((4, 4), 7), ((5, 7), 8)])
def test_soft_knn(side: tuple[int, int], k: int, metric: str) -> None:
    x, *parameters = inputs(*side, B=1)
    with jax.enable_x64(True):
        indices = jax.jit(partial(soft_knn, k=k, metric=metric))(x, *parameters).indices
    np.testing.assert_array_equal(indices, references.soft_knn(x, *parameters, k, metric)[0])
    assert_agrees(
        lambda *arrays: soft_knn(*arrays, k, metric=metric).weights,
        lambda *arrays: references.soft_knn(*arrays, k, metric)[1],
        x,
        *parameters,
    )


def gradients(frozen: bool) -> tuple[Array, ...]:
    x, *parameters = (jnp.asarray(array, jnp.float32) for array in inputs(5, 5))

    def loss(*arrays: Array) -> Array:
        return jnp.sum(soft_knn(*arrays, 4, frozen=frozen).weights ** 2)

    return jax.jit(jax.grad(loss, argnums=(0, 1, 2, 3)))(x, *parameters)


def test_frozen_keeps_only_the_gradient_of_the_temperature() -> None:
    free, frozen = gradients(frozen=False), gradients(frozen=True)
    assert all(jnp.any(gradient != 0) for gradient in free)
    assert not any(jnp.any(gradient) for gradient in frozen[:3])
    np.testing.assert_allclose(frozen[3], free[3], rtol=1e-5)


def test_module_has_a_learned_temperature() -> None:
    x = jnp.asarray(inputs(4, 5)[0], jnp.float32)
    graph = SoftKNN(k=3, features=2, temperature=0.5)
    params = jax.jit(graph.init)(jax.random.key(0), x)["params"]
    shapes = {"w_q": (3, 2), "w_p": (3, 2), "log_temperature": ()}
    assert {name: array.shape for name, array in params.items()} == shapes
    assert jnp.any(params["w_q"] != params["w_p"])
    actual = jax.jit(graph.apply)({"params": params}, x)
    expected = references.soft_knn(np.array(x), params["w_q"], params["w_p"], 0.5, 3)
    np.testing.assert_allclose(actual.weights, expected[1], rtol=1e-4)
    np.testing.assert_allclose(jnp.sum(actual.weights, axis=-1), 1, rtol=1e-6)


def test_large_distances_stay_finite() -> None:
    x, *parameters = (jnp.asarray(array, jnp.float32) for array in inputs(4, 4))
    weights = jax.jit(partial(soft_knn, k=2))(1e4 * x, *parameters).weights
    assert jnp.all(jnp.isfinite(weights))


def test_k_must_fit() -> None:
    with pytest.raises(ValueError, match="k = 8 does not fit a 4x4 feature map"):
        SoftKNN(k=8).check(4, 4)
