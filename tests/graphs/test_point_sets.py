"""Graphs of point sets [B, N, F], against loops: a point is no neighbour of its own."""

from collections import Counter
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from gcgan_jax import references
from gcgan_jax.graphs import GRAPHS
from gcgan_jax.graphs.kernel import nearest_by_kernel
from gcgan_jax.graphs.knn import KNN, knn
from gcgan_jax.graphs.nearest import SELECTIONS
from gcgan_jax.graphs.soft_knn import soft_knn
from gcgan_jax.platforms import force_variant
from tests.helpers import VARIANTS, assert_agrees


def points(N: int, B: int = 2, F: int = 3) -> np.ndarray:
    return np.random.default_rng(N).normal(size=(B, N, F))


@pytest.mark.parametrize(
    ("N", "k", "options"),
    [
        (2, 1, {}),
        (7, 6, {}),
        (31, 5, {"exclude": 0}),
        (31, 30, {"metric": "cosine"}),
        (13, 4, {"dilation": 3}),
    ],
)
def test_knn(N: int, k: int, options: dict[str, Any]) -> None:
    x = np.concatenate([points(N), np.round(points(N)), np.ones((1, N, 3))])  # with many ties
    if "metric" in options:
        x = points(N)
    expected = references.knn(x, k, **options)
    for variant in VARIANTS:
        with jax.enable_x64(True), force_variant(variant):
            actual = jax.jit(
                lambda x: [knn(x, k, selection, **options) for selection in SELECTIONS]
            )(x)
        for neighbours in actual:
            np.testing.assert_array_equal(neighbours, expected)


def test_the_kernel_leaves_out_the_point_itself() -> None:
    x = np.round(2 * points(31)).astype(np.float32)
    kernel = partial(nearest_by_kernel, width=31, k=30, exclude=0, interpret=True)
    actual = jax.jit(jax.vmap(lambda h: kernel(h, h, jnp.arange(31))))(x)
    np.testing.assert_array_equal(actual, references.knn(x, 30))


def test_many_points_in_tiles() -> None:
    N = 1031  # a prime, of which two tiles are computed at a time on a CPU
    x = np.round(8 * points(N, B=1)).astype(np.float32)
    actual = np.array(jax.jit(partial(knn, k=3))(x))[0]
    for i in (0, 515, 516, N - 1):
        distances = np.sum((x[0] - x[0, i]) ** 2, axis=-1)
        distances[i] = np.inf
        np.testing.assert_array_equal(actual[i], np.argsort(distances, kind="stable")[:3])


def test_threshold() -> None:
    x = points(9)
    with jax.enable_x64(True):
        indices, weights = map(np.array, jax.jit(lambda x: KNN(k=3, threshold=1.5).apply({}, x))(x))
    for b, i, e in np.ndindex(*indices.shape):
        is_near = np.linalg.norm(x[b, i] - x[b, indices[b, i, e]]) <= 1.5
        np.testing.assert_allclose(weights[b, i, e], is_near / 3)
    assert 0 < np.mean(weights > 0) < 1


@pytest.mark.parametrize("metric", ["euclidean", "product"])
@pytest.mark.parametrize(("N", "k"), [(7, 1), (7, 6)])
def test_soft_knn(N: int, k: int, metric: str) -> None:
    rng = np.random.default_rng(0)
    arrays = [points(N), *rng.normal(size=(2, 3, 2)), np.array(1.5)]
    with jax.enable_x64(True):
        indices = jax.jit(partial(soft_knn, k=k, metric=metric))(*arrays).indices
    np.testing.assert_array_equal(indices, references.soft_knn(*arrays, k, metric)[0])
    assert_agrees(
        lambda *arrays: soft_knn(*arrays, k, metric=metric).weights,
        lambda *arrays: references.soft_knn(*arrays, k, metric)[1],
        *arrays,
    )


def neighbours(name: str, x: np.ndarray, **fields: Any) -> Array:
    keys = jax.random.split(jax.random.key(0), len(x))
    return jax.jit(lambda x: GRAPHS[name](**fields).apply({}, x, keys).indices)(x)


def test_random_edges_are_uniform_over_all_others() -> None:
    with pytest.raises(ValueError, match=r"k = 5 does not fit a set of 5 points"):
        neighbours("random", points(5), k=5)
    indices = np.array(neighbours("random", points(5, B=500), k=4))
    for i in range(5):
        counts = Counter(map(int, indices[:, i].ravel()))
        assert set(counts) == set(range(5)) - {i}
        assert max(abs(count - 500) for count in counts.values()) < 5 * 500**0.5


def test_self_loops_and_shuffled() -> None:
    x = points(7, B=3)
    np.testing.assert_array_equal(
        neighbours("self", x, k=2), np.broadcast_to(np.arange(7)[:, None], (3, 7, 2))
    )
    expected = references.knn(x[[2, 0, 1]], 4)
    np.testing.assert_array_equal(neighbours("shuffled", x, k=4), expected)


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("knn", {"k": 7}, r"^k = 7 does not fit a set of 7 points: choose 1 <= k <= 6"),
        ("knn", {"k": 0}, r"^k = 0 does not fit"),
        ("soft_knn", {"k": 7}, r"^k = 7 does not fit a set of 7 points"),
        ("knn", {"k": 2, "exclude": 2}, r"^exclude = 2 is a radius in pixels, .* choose 0"),
        ("knn", {"k": 2, "position": 0.5}, r"^position = 0.5 weighs .* pixels, .* choose 0"),
        ("far", {"k": 2}, r"^exclude = 4 is a radius in pixels"),
        ("grid", {"k": 2}, r"^'grid' connects pixels .* a point set \[2, 7, 3\]: choose another"),
        ("ring", {"k": 2}, r"^'ring' connects pixels"),
    ],
)
def test_what_needs_pixels_is_refused(name: str, fields: dict[str, Any], message: str) -> None:
    graph = GRAPHS[name](**fields)
    with pytest.raises(ValueError, match=message):
        graph.init_with_output(jax.random.key(0), jnp.asarray(points(7), jnp.float32))
