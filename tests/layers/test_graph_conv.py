"""The graph-convolutional layer against eq. 3.13 built from the references; its diagnostics."""

from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from gcgan_jax import references
from gcgan_jax.graphs.knn import KNN
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.layers.graph_conv import GraphConv
from gcgan_jax.layers.merge import Scale
from gcgan_jax.operators.ecc import ECC
from gcgan_jax.operators.edge_conv import EdgeConv
from tests.helpers import assert_agrees

K, DELTA = 3, 4.0
EDGE_CONV = partial(EdgeConv, reduction="sum")
SMALL_ECC = partial(ECC, hidden=4, delta=DELTA, slope=0.2)
KNN_GRAPH = partial(KNN, k=K)


def features(B: int = 2, H: int = 4, W: int = 5, F: int = 3) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(B, H, W, F))


def with_coordinates(x: np.ndarray) -> np.ndarray:
    """[B, H, W, F] -> [B, N, F + 2]."""
    B, H, W, F = x.shape
    coords = np.stack([references.coordinates(H, W)] * B)
    return np.concatenate([x.reshape(B, H * W, F), coords], axis=-1)


def parameters(layer: GraphConv, x: np.ndarray) -> dict[str, Any]:
    """Random weights and biases, in float64."""
    shapes = jax.eval_shape(layer.init, jax.random.key(0), x)["params"]
    rng = np.random.default_rng(1)
    return jax.tree.map(lambda array: rng.normal(size=array.shape) / 2, shapes)


@pytest.mark.parametrize("operator", [EDGE_CONV, SMALL_ECC], ids=["edge_conv", "ecc"])
def test_equation_3_13(operator: partial[nn.Module]) -> None:
    x = features(B=1)
    layer = GraphConv(features=2, graph=KNN_GRAPH, operator=operator)
    weights, structure = jax.tree.flatten(parameters(layer, x))
    neighbours = references.knn(x, K)

    def reference(x: np.ndarray, *weights: np.ndarray) -> np.ndarray:
        params = jax.tree.unflatten(structure, weights)
        local = references.conv(x, params["local"]["kernel"], ((1, 1), (1, 1)))
        inputs = with_coordinates(x), neighbours
        if operator is EDGE_CONV:
            non_local = references.edge_conv(*inputs, **params["non_local"])
        else:
            non_local = references.ecc(*inputs, **params["non_local"], delta=DELTA, slope=0.2)
        return (local + non_local.reshape(local.shape)) / 2 + params["bias"]

    def apply(x: Array, *weights: Array) -> Array:
        return layer.apply({"params": jax.tree.unflatten(structure, weights)}, x)

    assert_agrees(apply, reference, x, *weights)


class Spy(nn.Module):
    """An operator that sows its inputs."""

    features: int

    @nn.compact
    def __call__(self, h: Array, neighbours: Neighbours) -> Array:
        self.sow("diagnostics", "inputs", (h, neighbours.indices))
        return jnp.zeros((*h.shape[:2], self.features))


@pytest.mark.parametrize("side", [(4, 4), (5, 7)])
def test_coordinates_go_to_the_operator_but_not_to_the_graph(side: tuple[int, int]) -> None:
    x = features(2, *side)
    layer = GraphConv(features=2, graph=KNN_GRAPH, operator=Spy)
    params = parameters(layer, x)
    assert params["local"]["kernel"].shape == (3, 3, 3, 2)
    with jax.enable_x64(True):
        apply = jax.jit(lambda x: layer.apply({"params": params}, x, mutable="diagnostics"))
        ((h, neighbours),) = apply(x)[1]["diagnostics"]["non_local"]["inputs"]
    np.testing.assert_allclose(h, with_coordinates(x), atol=1e-12)
    np.testing.assert_array_equal(neighbours, references.knn(x, K))
    all_inputs = with_coordinates(x).reshape(2, *side, 5)
    assert np.any(neighbours != references.knn(all_inputs, K))  # coordinates would matter


def test_without_coordinates() -> None:
    x = jnp.asarray(features(), float)
    layer = GraphConv(features=2, graph=KNN_GRAPH, operator=EDGE_CONV)
    params = jax.tree.map(partial(jnp.asarray, dtype=float), parameters(layer, x))
    without = layer.clone(coordinates=False).apply({"params": params}, x)
    blind = params | {"non_local": {n: w.at[-2:].set(0) for n, w in params["non_local"].items()}}
    np.testing.assert_allclose(without, layer.apply({"params": blind}, x), rtol=1e-5)


def test_no_gradient_flows_through_the_graph() -> None:
    x = jnp.asarray(features(), jnp.float32)
    neighbours = Neighbours(jnp.asarray(references.knn(np.array(x), K)))

    class FixedGraph(nn.Module):
        """The same graph for all features."""

        def __call__(self, x: Array, keys: Array | None) -> Neighbours:
            return neighbours

    layer, fixed = (
        GraphConv(features=2, graph=graph, operator=SMALL_ECC) for graph in (KNN_GRAPH, FixedGraph)
    )
    params = parameters(layer, x)

    def gradient(layer: GraphConv) -> Array:
        return jax.jit(jax.grad(lambda x: jnp.sum(jnp.tanh(layer.apply({"params": params}, x)))))(x)

    np.testing.assert_allclose(gradient(layer), gradient(fixed), rtol=1e-5, atol=1e-6)


def test_a_random_graph_uses_the_key_of_each_image() -> None:
    class RandomGraph(nn.Module):
        """k random neighbours of each node."""

        def __call__(self, x: Array, keys: Array) -> Neighbours:
            N = x.shape[1] * x.shape[2]
            return Neighbours(jax.vmap(lambda key: jax.random.randint(key, (N, K), 0, N))(keys))

    x = jnp.asarray(features(), jnp.float32)
    layer = GraphConv(features=2, graph=RandomGraph, operator=EDGE_CONV)
    keys = jax.random.split(jax.random.key(0), 2)
    variables = jax.jit(layer.init)(jax.random.key(1), x, keys)
    apply = jax.jit(layer.apply)
    both = apply(variables, x, keys)
    np.testing.assert_allclose(both[1:], apply(variables, x[1:], keys[1:]), rtol=1e-5, atol=1e-6)
    assert np.abs(both - apply(variables, x, keys[::-1])).max() > 0.01


def test_custom_merge() -> None:
    class Difference(nn.Module):
        def __call__(self, local: Array, non_local: Array) -> Array:
            return local - non_local

    x = jnp.asarray(features(), jnp.float32)
    average = GraphConv(features=2, graph=KNN_GRAPH, operator=EDGE_CONV)
    params = parameters(average, x)
    params["bias"] = 0 * params["bias"]
    local_only = params | {"non_local": jax.tree.map(np.zeros_like, params["non_local"])}
    local = 2 * average.apply({"params": local_only}, x)
    non_local = 2 * average.apply({"params": params}, x) - local
    actual = average.clone(merge=Difference).apply({"params": params}, x)
    np.testing.assert_allclose(actual, local - non_local, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("operator", [EDGE_CONV, SMALL_ECC], ids=["edge_conv", "ecc"])
def test_diagnostics(operator: partial[nn.Module]) -> None:
    x = features(H=5, W=6)
    layer = GraphConv(features=2, graph=KNN_GRAPH, operator=operator)
    params = parameters(layer, x)
    with jax.enable_x64(True):
        apply = partial(layer.apply, {"params": params})
        out_alone = jax.jit(apply)(x)
        out, sown = jax.jit(partial(apply, mutable=["diagnostics"]))(x)
    assert isinstance(out_alone, Array)
    np.testing.assert_array_equal(out, out_alone)

    diagnostics, neighbours, h = sown["diagnostics"], references.knn(x, K), with_coordinates(x)
    edges = [(b, i, j) for b, i in np.ndindex(2, 30) for j in neighbours[b, i]]
    at_distance_2 = np.mean([references.chebyshev(i, j, 6) == 2 for _, i, j in edges])
    assert 0 < at_distance_2 < 1
    np.testing.assert_allclose(*diagnostics["edges_at_distance_2"], at_distance_2, rtol=1e-6)

    local = references.conv(x, params["local"]["kernel"], ((1, 1), (1, 1)))
    non_local = 2 * (np.array(out) - params["bias"]) - local
    ratio = np.sqrt(np.sum(non_local**2) / np.sum(local**2))
    np.testing.assert_allclose(*diagnostics["non_local_over_local"], ratio, rtol=1e-9)

    if operator is SMALL_ECC:
        gamma = np.mean([references.attention(h[b, i], h[b, j], DELTA) for b, i, j in edges])
        np.testing.assert_allclose(*diagnostics["non_local"]["gamma"], gamma, rtol=1e-9)
    else:
        assert "non_local" not in diagnostics


def test_init_rejects_graphs_that_do_not_fit() -> None:
    layer = GraphConv(features=2, graph=partial(KNN, k=12), operator=EDGE_CONV)
    with pytest.raises(ValueError, match="k = 12 does not fit a 4x5 feature map"):
        jax.eval_shape(layer.init, jax.random.key(0), features())


@pytest.mark.parametrize("size", [(7,), (4, 5)], ids=["point set", "image"])
@pytest.mark.parametrize("local_branch", ["linear", "identity"])
def test_local_branches_without_a_window(size: tuple[int, ...], local_branch: str) -> None:
    x = np.random.default_rng(0).normal(size=(2, *size, 3))
    O = 3 if local_branch == "identity" else 2
    layer = GraphConv(
        O, graph=KNN_GRAPH, operator=EDGE_CONV, local_branch=local_branch, coordinates=False
    )
    weights, structure = jax.tree.flatten(parameters(layer, x))
    neighbours = references.knn(x, K)

    def reference(x: np.ndarray, *weights: np.ndarray) -> np.ndarray:
        params = jax.tree.unflatten(structure, weights)
        local = x if local_branch == "identity" else x @ params["local"]["kernel"]
        h = np.concatenate([x.reshape(2, -1, 3), np.zeros((*neighbours.shape[:2], 2))], axis=-1)
        non_local = references.edge_conv(h, neighbours, **params["non_local"])
        return (local + non_local.reshape(local.shape)) / 2 + params["bias"]

    def apply(x: Array, *weights: Array) -> Array:
        return layer.apply({"params": jax.tree.unflatten(structure, weights)}, x)

    assert_agrees(apply, reference, x, *weights)


def test_diagnostics_of_point_sets_have_no_pixel_distances() -> None:
    x = np.random.default_rng(0).normal(size=(2, 7, 3)).astype(np.float32)
    layer = GraphConv(
        3,
        graph=KNN_GRAPH,
        operator=SMALL_ECC,
        merge=partial(Scale, initial=0.5),
        local_branch="identity",
        coordinates=False,
    )
    variables = jax.jit(layer.init)(jax.random.key(0), x)
    assert variables.keys() == {"params"}
    out, sown = jax.jit(partial(layer.apply, mutable=["diagnostics"]))(variables, x)
    assert out.shape == x.shape
    expected = {"non_local_over_local", "non_local", "merge"}
    assert sown["diagnostics"].keys() == expected


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, r"^local = 'conv' needs images .* a point set \[2, 7, 3\]: choose 'linear'"),
        ({"local_branch": "linear"}, r"^coordinates = True needs images .* set it to False"),
        ({"local_branch": "identity", "coordinates": False}, r"equal features, got 3 in and 2"),
    ],
)
def test_point_sets_need_a_layer_without_pixels(fields: dict[str, Any], message: str) -> None:
    layer = GraphConv(2, graph=KNN_GRAPH, operator=EDGE_CONV, **fields)
    with pytest.raises(ValueError, match=message):
        jax.eval_shape(layer.init, jax.random.key(0), jnp.zeros((2, 7, 3)))
