"""The local branch of a graph layer with a hidden layer, with and without an operator."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from gcgan_jax import references
from gcgan_jax.graphs.knn import KNN
from gcgan_jax.layers.graph_conv import GraphConv, hidden_features
from gcgan_jax.operators.edge_conv import EdgeConv
from tests.helpers import assert_agrees

GRAPH = partial(KNN, k=2)


@pytest.mark.parametrize("expansion", [0.1, 2.4])
def test_without_an_operator_it_is_all_there_is(expansion: float) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 4, 5, 3))
    layer = GraphConv(2, graph=GRAPH, operator=None, local_expansion=expansion)
    shapes = jax.eval_shape(layer.init, jax.random.key(0), x)
    m = 1 if expansion == 0.1 else 5
    assert jax.tree.map(lambda leaf: leaf.shape, shapes) == {
        "params": {
            "bias": (2,),
            "local": {"kernel": (3, 3, 3, m)},
            "local_out": {"kernel": (m, 2)},
        }
    }
    weights, structure = jax.tree.flatten(
        jax.tree.map(lambda leaf: rng.normal(size=leaf.shape), shapes)
    )

    def reference(x: np.ndarray, bias: np.ndarray, kernel: np.ndarray, out: np.ndarray) -> Array:
        hidden = references.conv(x, kernel, ((1, 1), (1, 1)))
        return np.maximum(hidden, 0) @ out + bias

    def apply(x: Array, *weights: Array) -> Array:
        return layer.apply(jax.tree.unflatten(structure, weights), x)

    assert_agrees(apply, reference, x, *weights)


def test_with_an_operator_only_the_branch_differs() -> None:
    x = jnp.asarray(np.random.default_rng(0).normal(size=(1, 4, 5, 3)), jnp.float32)
    layer = GraphConv(2, graph=GRAPH, operator=EdgeConv, local_expansion=3.0)
    variables = jax.jit(layer.init)(jax.random.key(0), x)
    alone = {"params": {k: v for k, v in variables["params"].items() if k != "non_local"}}
    local = jax.jit(layer.clone(operator=None).apply)(alone, x)
    without = layer.clone(without="non_local")
    np.testing.assert_allclose(2 * jax.jit(without.apply)(variables, x), local, rtol=1e-5)


def test_hidden_features_are_rounded_and_at_least_one() -> None:
    assert [hidden_features(e, 10) for e in (0.01, 0.26, 1.0, 1.27)] == [1, 3, 10, 13]
