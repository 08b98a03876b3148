"""Geometry of an image graph, against loops."""

import jax
import numpy as np
import pytest

from gcgan_jax import references
from gcgan_jax.graphs.geometry import chebyshev, coordinates, edge_lengths, in_degrees, in_window


@pytest.mark.parametrize(("height", "width"), [(4, 4), (5, 7), (2, 9)])
def test_pixel_distances_and_coordinates(height: int, width: int) -> None:
    N = height * width
    expected = [[references.chebyshev(i, j, width) for j in range(N)] for i in range(N)]
    nodes = np.arange(N)
    distances, window, coords = jax.jit(
        lambda: (
            chebyshev(nodes[:, None], nodes[None], width),
            [in_window(nodes, N, width, radius) for radius in (0, 1, 3)],
            coordinates(height, width),
        )
    )()
    np.testing.assert_array_equal(distances, expected)
    for radius, within in zip((0, 1, 3), window, strict=True):
        np.testing.assert_array_equal(within, np.array(expected) <= radius)
    np.testing.assert_allclose(coords, references.coordinates(height, width), atol=1e-6)


def test_edge_lengths_and_in_degrees() -> None:
    neighbours = np.random.default_rng(0).integers(0, 35, (35, 4))  # 5 x 7 pixels
    lengths = jax.jit(edge_lengths, static_argnums=1)(neighbours, 7)
    degrees = jax.jit(in_degrees)(neighbours)
    for i, e in np.ndindex(35, 4):
        j = neighbours[i, e]
        expected = np.hypot(i // 7 - j // 7, i % 7 - j % 7)
        np.testing.assert_allclose(lengths[i, e], expected, rtol=1e-6)
    np.testing.assert_array_equal(degrees, [(neighbours == j).sum() for j in range(35)])
