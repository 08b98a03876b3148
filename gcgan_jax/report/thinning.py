"""Thinning of curves that keeps their extremes.

n points, m of them kept.
"""

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray


def thinned(x: Int[ndarray, "n"], y: Float[ndarray, "n"], buckets: int) -> Int[ndarray, "m"]:
    """Return the indices of the points to draw, in their order: all, if n <= 2 buckets.

    Of the points in each of equally wide intervals of x, these are the lowest, the highest, and one
    whose y is NaN, a gap of the curve; besides them, the first and the last point of all.

    Args:
        x: ascending.
    """
    n = len(x)
    if n <= 2 * buckets:
        return np.arange(n)
    position = (x - x[0]) / (x[-1] - x[0]) * buckets
    bucket = np.minimum(position.astype(np.int64), buckets - 1)
    starts = np.flatnonzero(np.diff(bucket, prepend=-1))
    sizes = np.diff(starts, append=n)
    lowest = y == np.repeat(np.fmin.reduceat(y, starts), sizes)
    highest = y == np.repeat(np.fmax.reduceat(y, starts), sizes)
    kept = [_firsts(bucket, chosen) for chosen in (lowest, highest, np.isnan(y))]
    return np.unique(np.concatenate([*kept, [0, n - 1]]))


def _firsts(bucket: Int[ndarray, "n"], chosen: Bool[ndarray, "n"]) -> Int[ndarray, "m"]:
    """Return the index of the first chosen point in each bucket that has one."""
    indices = np.flatnonzero(chosen)
    return indices[np.flatnonzero(np.diff(bucket[indices], prepend=-1))]
