"""Control graphs, pixel by pixel."""

from collections import Counter

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gcgan_jax import references
from gcgan_jax.graphs import GRAPHS
from gcgan_jax.graphs.controls import grid, random_outside_window, ring, self_loops

SIDES = [(4, 4), (5, 7), (9, 4)]


def features(B: int, H: int, W: int) -> jax.Array:
    return jnp.asarray(np.random.default_rng(0).normal(size=(B, H, W, 3)), jnp.float32)


def offsets(indices: np.ndarray, i: int, width: int) -> list[tuple[int, int]]:
    """Return rows and columns of node i's neighbours, relative to i."""
    return [(int(j) // width - i // width, int(j) % width - i % width) for j in indices[i]]


@pytest.mark.parametrize("name", ["self", "grid", "ring", "random", "shuffled", "far"])
def test_every_image_has_k_edges_a_node_from_any_number_of_images(name: str) -> None:
    keys = jax.random.split(jax.random.key(0), 2)
    graph = GRAPHS[name](k=5)
    neighbours = jax.jit(lambda x, keys: graph.apply({}, x, keys))(features(2, 10, 11), keys)
    assert neighbours.indices.shape == (2, 110, 5) and neighbours.indices.dtype == jnp.int32
    assert jnp.all((neighbours.indices >= 0) & (neighbours.indices < 110))
    assert neighbours.weights is None


@pytest.mark.parametrize(("height", "width"), SIDES)
def test_self_and_grid(height: int, width: int) -> None:
    N = height * width
    np.testing.assert_array_equal(self_loops(height, width, 3), [[i] * 3 for i in range(N)])
    indices = grid(height, width, 11)
    around = [(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1) if (r, c) != (0, 0)]
    for i in range(N):
        row, column = divmod(i, width)
        expected = [
            min(max(row + r, 0), height - 1) * width + min(max(column + c, 0), width - 1)
            for r, c in [*around, *around[:3]]
        ]
        np.testing.assert_array_equal(indices[i], expected)


def test_ring_is_symmetric_inside_the_image() -> None:
    axes = {(2, 0), (-2, 0), (0, 2), (0, -2)}
    diagonals = {(r, c) for r in (-2, 2) for c in (-2, 2)}
    square = {(r, c) for r in range(-2, 3) for c in range(-2, 3) if max(abs(r), abs(c)) == 2}
    for k, expected in {4: axes, 8: axes | diagonals, 16: square}.items():
        assert set(offsets(ring(9, 11, k), 4 * 11 + 5, 11)) == expected
    of_24 = offsets(ring(9, 11, 24), 4 * 11 + 5, 11)
    assert {(-r, -c) for r, c in of_24} == {(c, r) for r, c in of_24} == set(of_24)


@pytest.mark.parametrize(("height", "width"), SIDES)
def test_ring_takes_the_nearest_that_exist_at_borders(height: int, width: int) -> None:
    N = height * width
    for k in (1, 7, N - 9):
        indices = ring(height, width, k)
        for i in range(N):
            chosen = set(map(int, indices[i]))
            distances = {j: references.chebyshev(i, j, width) for j in range(N)}
            assert len(chosen) == k and min(distances[j] for j in chosen) > 1
            outside = {j for j in range(N) if distances[j] > 1} - chosen
            farthest = max(distances[j] for j in chosen)
            assert all(distances[j] >= farthest for j in outside)


def test_random_edges_are_uniform_outside_the_window() -> None:
    height, width, k = 4, 5, 4000
    key = jax.random.split(jax.random.key(0), 1)
    (indices,) = np.array(random_outside_window(key, height, width, k))
    for i in range(height * width):
        outside = [j for j in range(20) if references.chebyshev(i, j, width) > 1]
        counts = Counter(map(int, indices[i]))
        assert set(counts) == set(outside)
        expected = k / len(outside)
        assert max(abs(counts[j] - expected) for j in outside) < 5 * expected**0.5


def test_random_edges_follow_from_each_images_key() -> None:
    keys = jax.random.split(jax.random.key(1), 3)
    all_three = random_outside_window(keys, 6, 5, 4)
    np.testing.assert_array_equal(random_outside_window(keys[1:], 6, 5, 4), all_three[1:])
    assert jnp.any(all_three[0] != all_three[1])
    with pytest.raises(ValueError, match="one key per image"):
        GRAPHS["random"](k=4).apply({}, features(1, 6, 5))


def test_shuffled_takes_the_graph_of_the_previous_image() -> None:
    x = features(3, 5, 6)
    for threshold in (None, 1.0):
        own = GRAPHS["knn"](k=4, threshold=threshold).apply({}, x)
        other = GRAPHS["shuffled"](k=4, threshold=threshold).apply({}, x)
        np.testing.assert_array_equal(other.indices, own.indices[jnp.array([2, 0, 1])])
        assert (other.weights is None) == (threshold is None)


def test_far_is_knn_without_a_window_of_9x9() -> None:
    x = features(2, 10, 11)
    actual = jax.jit(lambda x: GRAPHS["far"](k=6).apply({}, x).indices)(x)
    np.testing.assert_array_equal(actual, references.knn(np.array(x), 6, exclude=4))


@pytest.mark.parametrize("name", ["ring", "random", "shuffled"])
def test_k_must_fit(name: str) -> None:
    graph = GRAPHS[name](k=8)
    graph.check(5, 5)
    with pytest.raises(
        ValueError, match=r"k = 8 does not fit a 4x4 feature map: choose 1 <= k <= 7"
    ):
        graph.check(4, 4)
    with pytest.raises(ValueError, match=r"exclude = 4 leaves no candidates on a 8x8 .* at most 3"):
        GRAPHS["far"]().check(8, 8)
