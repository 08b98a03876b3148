"""The headroom of a data set: loops, and images whose headroom is known."""

from itertools import product

import numpy as np
import pytest
from numpy import ndarray

from gcgan_jax.data.echo import Echo
from gcgan_jax.evaluation.far_nodes import NEIGHBOURS, PAIRS, WINDOW, draw, make_nodes
from gcgan_jax.evaluation.headroom import (
    ANOTHER,
    HEADROOM,
    MEAN,
    ORIGINS,
    PREDICTORS,
    RANDOM,
    ROUNDING,
    SAME,
    WEIGHTED,
    Headroom,
    measure,
    share,
)
from gcgan_jax.references import headroom as reference

RNG = np.random.default_rng(0)
SIDE = 28  # of most images, so that few programs are compiled


def noise(*shape: int) -> ndarray:
    return RNG.integers(256, size=shape).astype(np.uint8)


def smooth(count: int, height: int, width: int) -> ndarray:
    """Noise blurred by 3 x 3, so that surrounds predict pixels in part."""
    parts = noise(count, height + 2, width + 2, 3).astype(float)
    shifts = [parts[:, r : r + height, c : c + width] for r in range(3) for c in range(3)]
    return np.mean(shifts, axis=0).astype(np.uint8)


def value(measured: Headroom, predictor: str, row: str) -> float:
    found = measured.explained[predictor][row].value
    assert found is not None
    return found


def test_measure_matches_loops_at_an_odd_size() -> None:
    train, test = smooth(2, 15, 17), smooth(3, 15, 17)
    test[1, 8:] = test[1, :7]  # repeats itself
    measured = measure(train, test)
    scaled = (train / 127.5 - 1, test / 127.5 - 1, WINDOW, NEIGHBOURS, ROUNDING)
    for name, origin in product(PREDICTORS, (SAME, ANOTHER)):
        total, left = np.transpose(
            reference.explained(*scaled, another=origin == ANOTHER, weighted=name == WEIGHTED)
        )
        expected = share(total - left, total)
        actual = measured.explained[name][origin]
        assert actual.value == pytest.approx(expected.value, abs=1e-4)
        assert actual.error == pytest.approx(expected.error, rel=1e-2)
    same, another = (value(measured, MEAN, origin) for origin in (SAME, ANOTHER))
    assert value(measured, MEAN, HEADROOM) == pytest.approx(same - another)
    assert 0.3 < measured.by_surround < 1


def test_jackknife() -> None:
    parts, wholes = np.array([1.0, 2.0, 0.0]), np.array([2.0, 3.0, 4.0])
    without = [2 / 7, 1 / 6, 3 / 5]
    error = np.sqrt(2 / 3 * np.sum((without - np.mean(without)) ** 2))
    found = share(parts, wholes)
    assert (found.value, found.error) == (pytest.approx(1 / 3), pytest.approx(error))
    assert share(parts, np.array([0.0, 4.0, 0.0])).error is None


def test_noise_has_none() -> None:
    measured = measure(noise(8, SIDE, SIDE, 3), noise(8, SIDE, SIDE, 3))
    assert measured.by_surround == pytest.approx(0, abs=0.1)
    for name, row in product(PREDICTORS, (*ORIGINS, HEADROOM)):
        assert value(measured, name, row) == pytest.approx(0, abs=0.05)
        assert 0 < measured.explained[name][row].error < 0.05


def test_copies_are_all_headroom() -> None:
    """Each pixel has eight true copies or more, with the same surrounds."""
    train, test = (np.tile(noise(8, 7, 7, 3), (1, 4, 4, 1)) for _ in range(2))
    measured = measure(train, test)
    for name in PREDICTORS:
        assert value(measured, name, SAME) == pytest.approx(1, abs=1e-3)
        for row in (ANOTHER, RANDOM):
            assert value(measured, name, row) == pytest.approx(0, abs=0.2)
        assert value(measured, name, HEADROOM) > 0.8


def test_a_single_copy_is_told_from_pixels_beside_it() -> None:
    """The right half repeats the left one: the mean of eight nodes buries the copy."""
    halves = smooth(16, SIDE, SIDE // 2)
    images = np.concatenate([halves, halves], axis=2)
    measured = measure(images[:8], images[8:])
    assert value(measured, WEIGHTED, HEADROOM) > 0.5 > value(measured, MEAN, HEADROOM)


def test_echo_has_more_than_its_cells_shuffled_across_images() -> None:
    data = Echo(0, SIDE, dims=75)
    images = data.draw(1, 16)
    order = RNG.permuted(np.tile(np.arange(16)[:, None], data.grid.cells), axis=0)
    shuffled = data.grid.join(data.cells(images)[order, np.arange(data.grid.cells)])
    of_echo, of_shuffled = (measure(x[:8], x[8:]) for x in (images, shuffled))
    assert value(of_echo, WEIGHTED, HEADROOM) > 0.5
    assert abs(value(of_shuffled, WEIGHTED, HEADROOM)) < 0.1


@pytest.mark.parametrize("levels", [1, 256])
def test_constant_images_leave_nothing(levels: int) -> None:
    values = RNG.integers(levels, size=(2, 4, 1, 1, 3)).astype(np.uint8)
    train, test = np.tile(values, (1, 1, 14, 14, 1))
    measured = measure(train, test)
    assert measured.by_surround == (None if levels == 1 else pytest.approx(1))
    shares = [found for shares in measured.explained.values() for found in shares.values()]
    assert {(found.value, found.error) for found in shares} == {(None, None)}


def test_images_may_be_grey() -> None:
    measured = measure(noise(3, 14, 14, 1), noise(3, 14, 14, 1))
    assert measured.explained[WEIGHTED][HEADROOM].error > 0


@pytest.mark.parametrize("size", [14, 15, 16, 32])
def test_chosen_nodes_have_far_ones(size: int) -> None:
    nodes = make_nodes(size, size)
    across = size - WINDOW + 1
    rows, columns = np.divmod(np.arange(across**2), across)
    distances = np.maximum(abs(rows[:, None] - rows), abs(columns[:, None] - columns))
    counts = np.sum(distances >= WINDOW, axis=1)
    np.testing.assert_array_equal(nodes.chosen, np.flatnonzero(counts >= NEIGHBOURS))
    np.testing.assert_array_equal(nodes.counts, counts[nodes.chosen])
    drawn = [draw(RNG, nodes) for _ in range(50)]
    for n, (i, far) in enumerate(zip(nodes.chosen, nodes.far, strict=True)):
        expected = set(np.flatnonzero(distances[i] >= WINDOW))
        assert set(far[: nodes.counts[n]]) == expected
        assert set(np.ravel([some[n] for some in drawn])) <= expected


def test_large_images_are_sampled_evenly() -> None:
    nodes = make_nodes(128, 128)
    assert PAIRS / 2 < nodes.far.size <= PAIRS
    assert len(set(np.diff(nodes.chosen))) == 1


@pytest.mark.parametrize(
    ("count", "size", "message"),
    [(1, 32, "at least two"), (2, 13, "13x13 pixels are too small"), (2, 6, "too small")],
)
def test_unsuitable_images_are_rejected(count: int, size: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        measure(noise(3, size, size, 3), noise(count, size, size, 3))
