"""Thinned curves keep their extremes."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gcgan_jax.report.thinning import thinned

VALUES = st.lists(st.floats(-1e6, 1e6, width=32) | st.just(np.nan), min_size=1, max_size=60)


@settings(deadline=None)
@given(VALUES, st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_each_interval_keeps_its_extremes_and_a_gap(
    values: list[float], buckets: int, seed: int
) -> None:
    y = np.array(values)
    n = len(y)
    x = np.cumsum(np.random.default_rng(seed).integers(1, 9, n))
    kept = thinned(x, y, buckets)
    assert (np.diff(kept) > 0).all() and {0, n - 1} <= set(kept.tolist())
    assert len(kept) <= max(2 * buckets, 3 * buckets + 2)
    for edges in np.split(np.arange(n), np.searchsorted(x, interior(x, buckets))):
        points = y[edges]
        shown = y[np.intersect1d(edges, kept)]
        assert np.isnan(points).any() == np.isnan(shown).any()
        if np.isfinite(points).any():
            assert np.nanmin(shown) == np.nanmin(points)
            assert np.nanmax(shown) == np.nanmax(points)


def interior(x: np.ndarray, buckets: int) -> list[int]:
    """Return the smallest whole numbers in the 2nd, 3rd, ... of equally wide intervals."""
    width = int(x[-1] - x[0])
    return [int(x[0]) - (-number * width // buckets) for number in range(1, buckets)]


def test_short_curves_stay_as_they_are_and_spikes_of_long_ones_remain() -> None:
    x, y = np.arange(100_000), np.zeros(100_000)
    y[70_001], y[70_002] = 5.0, np.nan
    kept = thinned(x, y, 300)
    assert {70_001, 70_002} <= set(kept.tolist()) and len(kept) <= 602
    np.testing.assert_array_equal(thinned(x[:600], y[:600], 300), np.arange(600))
