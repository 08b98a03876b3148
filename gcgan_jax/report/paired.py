"""Statistics of paired differences: each is that of two arms with the same seed.

n seeds, m comparisons.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy import special, stats

LEVEL = 0.95
FEWEST_SIGNS = 6  # with fewer, the sign test cannot reject at 5 %: 2 / 2^5 = 0.06


@dataclass(frozen=True)
class Comparison:
    """Differences of an arm from another, as one of several comparisons.

    Attributes:
        n: number of seeds that both arms have.
        mean: mean of the differences.
        low, high: t interval of the mean at Holm's level, which excludes 0 exactly if
            p <= 1 - LEVEL; None for one seed.
        p: p-value of the paired t-test after Holm's correction; None for one seed.
        sign_p: p-value of the sign test, not corrected; None where it could not reject.
        equivalence_p: p-value of TOST, not corrected; None for one seed or without a margin.
    """

    n: int
    mean: float
    low: float | None
    high: float | None
    p: float | None
    sign_p: float | None
    equivalence_p: float | None


def compare(
    differences: Mapping[str, Float[ndarray, "n"]], margin: float | None = None
) -> dict[str, Comparison]:
    """Make m comparisons, whose number of seeds may differ, as one family.

    Args:
        differences: see `pair`, by name of the comparison; those without seeds are left out.
        margin: differences that do not matter; None: no test of equivalence.
    """
    differences = {name: values for name, values in differences.items() if len(values)}
    several = {name: values for name, values in differences.items() if len(values) > 1}
    p_values = [t_test(values) for values in several.values()]
    corrected = dict(zip(several, holm(p_values), strict=True))
    levels = dict(zip(several, holm_levels(p_values), strict=True))
    comparisons = {}
    for name, values in differences.items():
        tested = name in several
        low, high = t_interval(values, levels[name]) if tested else (None, None)
        comparisons[name] = Comparison(
            n=len(values),
            mean=float(np.mean(values)),
            low=low,
            high=high,
            p=corrected.get(name),
            sign_p=sign_test(values),
            equivalence_p=equivalence_test(values, margin) if margin and tested else None,
        )
    return comparisons


def titles(difference: str, margin: float | None) -> list[str]:
    """Return the titles of `cells`, after that of the difference; without a margin, one fewer."""
    equivalence = [f"p of equivalence within {margin}"] if margin else []
    return [difference, "p", "p of signs", *equivalence]


def cells(comparison: Comparison | None) -> list[str]:
    """Return the cells of a table: mean and interval, and the three p-values; "-" for None."""
    if comparison is None:
        return ["-"] * 4
    change = f"{comparison.mean:+.3f}"
    if comparison.low is not None:
        change += f" ({comparison.low:+.3f} to {comparison.high:+.3f})"
    p_values = (comparison.p, comparison.sign_p, comparison.equivalence_p)
    return [change, *("-" if p is None else f"{p:.3f}" for p in p_values)]


def pair(a: Mapping[int, float], b: Mapping[int, float]) -> Float[ndarray, "n"]:
    """Return a - b for each seed that both have, in the order of the seeds."""
    return np.array([a[seed] - b[seed] for seed in sorted(a.keys() & b.keys())], np.float64)


def t_interval(values: Float[ndarray, "n"], level: float = LEVEL) -> tuple[float, float]:
    """Return mean(values) -+ t s / sqrt(n), t the quantile (1 + level) / 2 of Student's t(n - 1).

    Raises:
        ValueError: there are fewer than two values.
    """
    mean, error = _mean_and_error(values)
    half = float(special.stdtrit(len(values) - 1, (1 + level) / 2)) * error
    return mean - half, mean + half


def t_test(values: Float[ndarray, "n"], at: float = 0.0, alternative: str = "two-sided") -> float:
    """Return the p-value of Student's t-test that the mean is `at`.

    It is 1 if all values are `at`, where t is not defined.

    Args:
        alternative: "two-sided", "less" or "greater".

    Raises:
        ValueError: there are fewer than two values.
    """
    mean, error = _mean_and_error(values)
    if mean == at and error == 0:
        return 1.0
    with np.errstate(divide="ignore"):
        t = np.divide(mean - at, error)
    tail, factor = {"two-sided": (abs(t), 2), "greater": (t, 1), "less": (-t, 1)}[alternative]
    return factor * float(special.stdtr(len(values) - 1, -tail))


def sign_test(values: Float[ndarray, "n"]) -> float | None:
    """Return the p-value of the two-sided sign test, without values of 0.

    It is None if there are fewer than FEWEST_SIGNS others.
    """
    signs = np.sign(values[values != 0])
    if len(signs) < FEWEST_SIGNS:
        return None
    return float(stats.binomtest(int(np.sum(signs > 0)), len(signs)).pvalue)


def equivalence_test(values: Float[ndarray, "n"], margin: float) -> float:
    """Return the p-value of TOST, whose alternative is |mean| < margin.

    Schuirmann 1987, doi:10.1007/BF01068419: the larger p-value of the two one-sided t-tests.

    Raises:
        ValueError: there are fewer than two values, or the margin is not positive.
    """
    if margin <= 0:
        raise ValueError(f"margin = {margin} is no range of differences: choose margin > 0")
    return max(t_test(values, -margin, "greater"), t_test(values, margin, "less"))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for m comparisons: max over j <= i of min(1, (m - j) p_(j)).

    Holm 1979, jstor.org/stable/4615733; p_(0) <= ... <= p_(m - 1).
    """
    order, m = np.argsort(p_values, kind="stable"), len(p_values)
    scaled = np.array(p_values, np.float64)[order] * (m - np.arange(m))
    corrected = np.empty(m)
    corrected[order] = np.minimum(1, np.maximum.accumulate(scaled))
    return corrected.tolist()


def holm_levels(p_values: Sequence[float], level: float = LEVEL) -> list[float]:
    """Return the levels of intervals that exclude 0 exactly where Holm's procedure rejects.

    They are 1 - (1 - level) / (m - i) for p_(i), and from the first that is not rejected on, that
    one's level. Each interval alone covers with at least `level`; jointly, they may not.
    """
    order, m = np.argsort(p_values, kind="stable"), len(p_values)
    alphas = (1 - level) / (m - np.arange(m))
    kept = np.array(p_values, np.float64)[order] > alphas
    last = int(np.argmax(kept)) if kept.any() else m - 1
    levels = np.empty(m)
    levels[order] = 1 - alphas[np.minimum(np.arange(m), last)]
    return levels.tolist()


def _mean_and_error(values: Float[ndarray, "n"]) -> tuple[float, float]:
    n = len(values)
    if n < 2:
        raise ValueError(f"{n} values have no standard deviation: pass at least two")
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(n))
