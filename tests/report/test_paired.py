"""Statistics of paired differences: hand arithmetic, and simulated error rates."""

import math

import numpy as np
import pytest

from gcgan_jax.report.paired import (
    compare,
    equivalence_test,
    holm,
    holm_levels,
    pair,
    sign_test,
    t_interval,
    t_test,
)


def upper_tail(t: float) -> float:
    """P(T > t) for Student's t with 2 degrees of freedom, which has a closed form."""
    return 0.5 - t / (2 * math.sqrt(2 + t**2))


def test_seeds_of_both_arms_are_paired() -> None:
    np.testing.assert_array_equal(pair({2: 5.0, 0: 1.0, 7: 9.0}, {0: 4.0, 2: 3.0, 1: 0.0}), [-3, 2])


def test_t_interval_and_test_of_three_values() -> None:
    values = np.array([1.0, 2.0, 3.0])  # mean 2, standard error 1 / sqrt(3)
    assert t_interval(values) == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5))
    assert t_test(values) == pytest.approx(2 * upper_tail(2 * 3**0.5))
    assert t_test(values, 1.0, "greater") == pytest.approx(upper_tail(3**0.5))
    assert t_test(values, 1.0, "less") == pytest.approx(1 - upper_tail(3**0.5))


def test_equal_differences_have_no_spread() -> None:
    assert t_interval(np.full(3, 2.0)) == (2, 2)
    assert (t_test(np.full(3, 2.0)), t_test(np.zeros(3))) == (0, 1)
    with pytest.raises(ValueError, match="1 values have no standard deviation"):
        t_test(np.ones(1))


def test_sign_test_needs_six_differences() -> None:
    assert sign_test(np.ones(6)) == pytest.approx(2 / 2**6)
    assert sign_test(np.array([1.0] * 5 + [-1.0])) == pytest.approx(2 * (1 + 6) / 2**6)
    assert sign_test(np.array([1.0] * 5 + [0.0])) is None


def test_equivalence_is_as_likely_as_the_worse_side() -> None:
    assert equivalence_test(np.array([-1.0, 0.0, 1.0]), 0.5) == pytest.approx(
        upper_tail(0.5 * 3**0.5)
    )
    values = np.array([0.0, 1.0, 2.0])
    assert equivalence_test(values, 3.0) == pytest.approx(upper_tail(2 * 3**0.5))
    assert equivalence_test(values, 0.5) > 0.5
    with pytest.raises(ValueError, match=r"margin = 0.0 .*choose margin > 0"):
        equivalence_test(values, 0.0)


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1, 1]
    assert holm_levels([0.01, 0.04, 0.03]) == pytest.approx([1 - 0.05 / 3, 0.975, 0.975])
    assert holm_levels([0.01, 0.04, 0.02]) == pytest.approx([1 - 0.05 / 3, 0.95, 0.975])
    assert holm([]) == holm_levels([]) == []


def test_a_family_of_comparisons() -> None:
    clear, noisy = np.array([2.9, 3.0, 3.1]), np.array([-1.0, 0.0, 4.0])
    found = compare({"a": clear, "b": noisy, "c": np.ones(1), "d": np.zeros(0)}, margin=0.5)
    assert list(found) == ["a", "b", "c"]
    assert found["a"].p == pytest.approx(2 * t_test(clear))
    assert (found["a"].low, found["a"].high) == pytest.approx(t_interval(clear, 0.975))
    assert (found["b"].low, found["b"].high) == pytest.approx(t_interval(noisy))
    assert found["b"].equivalence_p == equivalence_test(noisy, 0.5)
    c = found["c"]
    assert (c.n, c.mean, c.low, c.high, c.p, c.sign_p, c.equivalence_p) == (1, 1, *[None] * 5)
    assert compare({"a": clear})["a"].equivalence_p is None


def test_simulated_error_rates() -> None:
    """Four equal arms share large effects of their seeds; 500 tables of 5 seeds."""
    tables, seeds, margin = 500, 5, 9.0
    rng = np.random.default_rng(0)
    of_seed = rng.normal(scale=10, size=(tables, seeds, 1))
    arms = of_seed + rng.normal(size=(tables, seeds, 4))
    covered = false = equivalent = 0
    for a, b, c in (arms[..., 1:] - arms[..., :1]).swapaxes(1, 2):
        low, high = t_interval(a)
        covered += low <= 0 <= high
        equivalent += equivalence_test(a + margin, margin) < 0.05
        found = compare({"a": a, "b": b, "c": c}).values()
        for comparison in found:
            assert (comparison.low <= 0 <= comparison.high) == (comparison.p > 0.05)
        false += any(comparison.p <= 0.05 for comparison in found)
    assert covered / tables == pytest.approx(0.95, abs=0.02)
    assert 0.02 <= false / tables <= 0.07  # 0.12 without Holm's correction
    assert equivalent / tables == pytest.approx(0.05, abs=0.02)
