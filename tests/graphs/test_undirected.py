"""Products with the adjacency matrix, against the matrix itself."""

import jax
import numpy as np
import pytest

from gcgan_jax import references
from gcgan_jax.graphs.controls import grid, ring, self_loops
from gcgan_jax.graphs.undirected import normalised_adjacency, shares_of_edges

GRAPHS = {  # of 5x7 pixels
    "grid": grid(5, 7, 11),  # repeated, and self-loops at corners
    "ring": ring(5, 7, 8),  # not symmetric at borders
    "self": self_loops(5, 7, 2),  # no edges at all
    "random": np.random.default_rng(0).integers(35, size=(35, 3)),
    "one": np.random.default_rng(1).integers(35, size=(35, 1)),
    "all": np.tile(np.arange(35), (35, 1)),
}


def matrix(neighbours: np.ndarray, weights: np.ndarray, loops: bool, at_a_time: int) -> np.ndarray:
    """The normalised adjacency matrix, as its products with all unit vectors."""
    identity = np.eye(len(neighbours))
    with jax.enable_x64(True):
        return jax.jit(
            lambda j, w, x: normalised_adjacency(j, w, loops=loops, at_a_time=at_a_time)(x)
        )(neighbours, weights, identity)


@pytest.mark.parametrize("name", GRAPHS)
def test_normalised_adjacency(name: str) -> None:
    """Also if weights are equal, or some are 0."""
    neighbours = GRAPHS[name]
    rng = np.random.default_rng(2)
    for weights in (np.ones(neighbours.shape), rng.integers(3, size=neighbours.shape) / 2):
        a = references.adjacency(neighbours[None], weights[None])
        for loops, at_a_time in ((False, 2), (True, neighbours.shape[1])):
            (expected,) = references.normalised(a + loops * np.eye(35))
            actual = matrix(neighbours, weights, loops, at_a_time)
            np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-12)


def test_edges_of_equal_weight_share_it_and_its_gradient() -> None:
    """Nodes 0 and 1 list each other three times; node 2 lists 0 with two weights, and itself."""
    neighbours = np.array([[1, 1], [0, 1], [0, 0], [2, 2]])
    weights = np.array([[0.5, 0.5], [0.5, 0.9], [0.25, 0.75], [0.5, 0.5]])
    shares = [[1 / 6, 1 / 6], [1 / 6, 0], [0, 0.75], [0.25, 0.25]]
    gradient = [[1 / 3, 1 / 3], [1 / 3, 0], [0, 1], [0.5, 0.5]]
    with jax.enable_x64(True):
        actual = jax.jit(shares_of_edges)(neighbours, weights)
        sums = jax.jit(jax.grad(lambda w, j: shares_of_edges(j, w).sum()))(weights, neighbours)
    np.testing.assert_allclose(actual, shares, rtol=1e-12)
    np.testing.assert_allclose(sums, gradient, rtol=1e-12)


def test_a_node_without_edges_has_a_finite_gradient() -> None:
    neighbours, x = np.array([[1], [0], [2]]), np.ones((3, 1))
    with jax.enable_x64(True):

        @jax.jit
        @jax.grad
        def gradient(w: jax.Array, j: jax.Array) -> jax.Array:
            return normalised_adjacency(j, w, loops=False, at_a_time=1)(x).sum()

        actual = gradient(np.zeros((3, 1)), neighbours)
    assert np.all(np.isfinite(actual))
