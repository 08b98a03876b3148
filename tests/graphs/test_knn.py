"""The kNN graph against brute force: borders, ties, extremes of k, on CPUs and accelerators."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from gcgan_jax import references
from gcgan_jax.graphs.knn import KNN, knn
from gcgan_jax.platforms import Variant, force_variant
from tests.helpers import VARIANTS


def features(kind: str, *shape: int) -> np.ndarray:
    """[B, H, W, 3]; all kinds but "normal" are full of ties and exact in float32."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(-8, 9, size=(5, 3)) / 4
    return {
        "normal": rng.normal(size=(*shape, 3)),
        "constant": np.full((*shape, 3), -1.5),
        "duplicated": pixels[rng.integers(5, size=shape)],
        "rounded": rng.integers(-1, 2, size=(*shape, 3)).astype(float),
        "one pixel differs": np.eye(shape[1] * shape[2])[0].reshape(1, *shape[1:], 1) * [[2, 0, 1]]
        + np.zeros((*shape, 3)),
    }[kind]


KINDS = ("normal", "constant", "duplicated", "rounded", "one pixel differs")


@pytest.mark.parametrize(
    ("side", "ks"), [((4, 4), (1, 2, 7)), ((5, 7), (1, 26)), ((7, 4), (5,)), ((8, 8), (1, 8, 55))]
)
def test_knn_matches_brute_force(side: tuple[int, int], ks: tuple[int, ...]) -> None:
    x = np.concatenate([features(kind, 2, *side) for kind in KINDS])
    nearest = references.knn(x, max(ks))
    for variant in VARIANTS:
        with jax.enable_x64(True), force_variant(variant):
            actual = jax.jit(lambda x: [knn(x, k) for k in ks])(x)
        for k, neighbours in zip(ks, actual, strict=True):
            assert neighbours.dtype == jnp.int32
            np.testing.assert_array_equal(neighbours, nearest[:, :, :k])


def test_knn_breaks_ties_by_node_index_in_float32() -> None:
    x = np.concatenate([features(kind, 2, 8, 8) for kind in KINDS[1:]]).astype(np.float32)
    actual = jax.jit(lambda x: knn(x, 8))(x)
    np.testing.assert_array_equal(actual, references.knn(x, 8))


@pytest.mark.parametrize("variant", VARIANTS)
def test_knn_treats_both_signs_of_zero_as_equal(variant: Variant) -> None:
    """With one feature, products of zero and a negative number are -0."""
    x = np.random.default_rng(0).integers(-2, 3, size=(2, 8, 8, 1)).astype(np.float32)
    with force_variant(variant):
        actual = jax.jit(lambda x: knn(x, 8))(x)
    np.testing.assert_array_equal(actual, references.knn(x, 8))


@pytest.mark.parametrize(("height", "width", "k"), [(4, 4, 7), (5, 7, 26), (16, 16, 16)])
def test_every_node_has_k_neighbours_outside_its_window(height: int, width: int, k: int) -> None:
    x = features("normal", 3, height, width).astype(np.float32)
    neighbours = np.array(jax.jit(lambda x: knn(x, k))(x))
    assert neighbours.shape == (3, height * width, k)
    assert neighbours.min() >= 0 and neighbours.max() < height * width
    for _, i in np.ndindex(3, height * width):
        assert len(set(neighbours[_, i])) == k
        assert all(references.chebyshev(i, j, width) > 1 for j in neighbours[_, i])


def test_knn_computes_bfloat16_features_in_higher_precision() -> None:
    x = jnp.asarray(features("normal", 1, 5, 7), jnp.bfloat16)
    expected = references.knn(np.array(x), 4)
    np.testing.assert_array_equal(jax.jit(lambda x: knn(x, 4))(x), expected)


@pytest.mark.parametrize(
    ("height", "width", "k", "message"),
    [
        (4, 5, 0, "k = 0 .* 4x5 .* 1 <= k <= 11"),
        (4, 5, -1, "k = -1"),
        (4, 5, 12, "k = 12"),
        (3, 8, 1, "at least 4 pixels, got 3x8"),
        (8, 3, 1, "at least 4 pixels, got 8x3"),
    ],
)
def test_impossible_graphs_are_rejected(height: int, width: int, k: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        knn(jnp.zeros((1, height, width, 2)), k)


def test_no_gradient_flows_through_the_neighbours() -> None:
    x = jnp.asarray(features("normal", 2, 5, 4), jnp.float32)
    neighbours = references.knn(np.array(x), 3)

    def contrast(x: Array, neighbours: Array) -> Array:
        h = x.reshape(2, 20, 3)
        h_j = jnp.take_along_axis(h, neighbours.reshape(2, 60, 1), axis=1).reshape(2, 20, 3, 3)
        return jnp.sum(jnp.tanh(h_j - 2 * h[:, :, None]))

    with_knn = jax.jit(jax.grad(lambda x: contrast(x, knn(x, 3))))(x)
    with_fixed_graph = jax.jit(jax.grad(contrast))(x, neighbours)
    assert jnp.any(with_fixed_graph != 0)
    np.testing.assert_allclose(with_knn, with_fixed_graph, rtol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"metric": "cosine"},
        {"exclude": 0},
        {"exclude": 2},
        {"dilation": 3},
        {"position": 2.0},
        {"metric": "cosine", "exclude": 0, "dilation": 2, "position": 0.5},
    ],
)
@pytest.mark.parametrize("variant", VARIANTS)
def test_options_match_brute_force(options: dict[str, Any], variant: Variant) -> None:
    x = features("normal", 2, 5, 7)
    with jax.enable_x64(True), force_variant(variant):
        actual = jax.jit(lambda x: knn(x, 3, **options))(x)
    np.testing.assert_array_equal(actual, references.knn(x, 3, **options))


@pytest.mark.parametrize(("metric", "threshold"), [("euclidean", 1.2), ("cosine", 0.3)])
def test_edges_longer_than_the_threshold_have_weight_0(metric: str, threshold: float) -> None:
    x = features("normal", 2, 5, 6)
    with jax.enable_x64(True):
        graph = KNN(k=4, metric=metric, threshold=threshold)
        indices, weights = map(np.array, jax.jit(lambda x: graph.apply({}, x))(x))
    np.testing.assert_array_equal(indices, references.knn(x, 4, metric))
    h = x.reshape(2, 30, 3)
    for b, i, e in np.ndindex(*indices.shape):
        distance = references.distance(h[b, i], h[b, indices[b, i, e]], metric)
        length = distance if metric == "cosine" else distance**0.5
        assert weights[b, i, e] == (0.25 if length <= threshold else 0)
    assert 0.1 < np.mean(weights > 0) < 0.9


def test_zero_features_have_a_cosine() -> None:
    x = np.zeros((1, 4, 4, 3), np.float32)
    actual = jax.jit(lambda x: knn(x, 3, metric="cosine"))(x)
    np.testing.assert_array_equal(actual, references.knn(x, 3))  # all are equally far


@pytest.mark.parametrize(
    ("options", "fits", "message"),
    [
        ({"exclude": 1}, 55, "k = 56 does not fit a 8x8 feature map: choose 1 <= k <= 55$"),
        ({"exclude": 3}, 15, "k = 16 does not fit .* 1 <= k <= 15 with exclude = 3"),
        ({"exclude": 0, "dilation": 9}, 7, "k = 8 with dilation = 9 .* k . dilation <= 63"),
    ],
)
def test_fewer_than_k_candidates_are_rejected(
    options: dict[str, int], fits: int, message: str
) -> None:
    KNN(k=fits, **options).check(8, 8)
    with pytest.raises(ValueError, match=message):
        KNN(k=fits + 1, **options).check(8, 8)
