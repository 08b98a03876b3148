"""Cells of images, and how their pixels vary together."""

import numpy as np
import pytest

from gcgan_jax.data.cells import (
    Grid,
    agreements,
    covariance,
    far_apart,
    full_grid,
    participation_ratio,
    texture_basis,
)
from gcgan_jax.references import structure as reference


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def test_cells_are_cut_where_the_grid_says() -> None:
    images = np.random.default_rng(0).integers(256, size=(2, 11, 11, 3)).astype(np.uint8)
    grid = Grid(11, 3, rows=(0, 7), columns=(1, 4, 8))
    cells = grid.cut(images)
    for k, (row, column) in enumerate((y, x) for y in grid.rows for x in grid.columns):
        cell = images[:, row : row + 3, column : column + 3].reshape(2, -1)
        np.testing.assert_allclose(cells[:, k], cell / 127.5 - 1, rtol=1e-6, atol=1e-7)
    joined = grid.join(cells)
    np.testing.assert_array_equal(grid.cut(joined), cells)
    covered = grid.join(np.ones_like(cells)) == 255
    np.testing.assert_array_equal(joined, np.where(covered, images, 0))


def test_far_cells_have_windows_that_do_not_meet() -> None:
    grid = full_grid(13, 2)
    pairs = np.argwhere(far_apart(grid.corners, 13))
    assert [(a, b) for a, b in pairs] == reference.far_pairs(grid.corners, 13 * 5 / 8)


@pytest.mark.parametrize(("dims", "tile"), [(1, 3), (12, 5), (27, 3)])
def test_basis_is_orthogonal_and_of_mean_variance_1(dims: int, tile: int) -> None:
    basis = texture_basis(dims, tile)
    np.testing.assert_allclose(basis @ basis.T, np.eye(dims) * 3 * tile**2 / dims, atol=1e-9)


def test_three_dimensions_are_flat_colours() -> None:
    colour = np.array([0.1, -0.2, 0.3])
    texture = (colour @ texture_basis(3, 5)).reshape(5, 5, 3)
    np.testing.assert_array_equal(texture, np.broadcast_to(colour, (5, 5, 3)))


@pytest.mark.parametrize("shape", [(7, 5, 3), (3, 2, 11), (5, 1, 9)])
def test_participation_ratio_matches_the_sum_over_pairs(shape: tuple[int, ...]) -> None:
    vectors = normal(*shape) + normal(1, 1, shape[2], seed=1)
    expected = reference.participation_ratio(vectors)
    assert expected > 1
    assert participation_ratio(vectors) == pytest.approx(expected)


def test_participation_ratio_counts_directions() -> None:
    axes = np.concatenate([np.eye(6), -np.eye(6)])  # covariance: the identity / 6
    assert participation_ratio(np.tile(axes, (3, 1, 1))) == pytest.approx(6)
    assert participation_ratio(np.tile(axes * [1, 1, 1, 0, 0, 0], (3, 1, 1))) == pytest.approx(3)
    two = np.array([[[0.1, 0.7]], [[0.3, 0.2]]])
    assert participation_ratio(two) == pytest.approx(1)
    assert participation_ratio(np.full((4, 2, 3), 0.1)) == participation_ratio(two[:1]) == 0


def test_participation_ratio_has_no_bias_for_few_groups() -> None:
    few = [participation_ratio(normal(8, 40, 100, seed=seed)) for seed in range(10)]
    assert np.mean(few) > 90  # the ratio of the sample covariance: 76


def test_covariance_is_half_the_gap_between_images() -> None:
    cells = normal(6, 4, 5)
    cells[:, 2] = cells[:, 0] + 0.1 * cells[:, 2]
    found = covariance(cells)
    for a in range(4):
        for b in range(4):
            assert 2 * found[a, b] == pytest.approx(reference.gap(cells, a, b))


def test_agreements_tell_pairs_from_others() -> None:
    cells = normal(4000, 3, 2)
    cells[:, 1] = cells[:, 0]
    pairs = np.zeros((3, 3), bool)
    pairs[0, 1] = pairs[1, 0] = True
    found = agreements(cells, pairs, ~np.eye(3, dtype=bool), variance=1.0)
    assert found == pytest.approx({"agreement": 1, "elsewhere": 0, "richness": 2}, abs=0.1)
    alike = agreements(cells[:, [0, 0, 0]], pairs, ~np.eye(3, dtype=bool), variance=1.0)
    assert alike["elsewhere"] == pytest.approx(1, abs=0.1)
