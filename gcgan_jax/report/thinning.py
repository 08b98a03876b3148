"""Thinning of curves that keeps their extremes.

n points, m of them kept.
"""

import numpy as np
from jaxtyping import Float, Int
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
    gaps = np.flatnonzero(np.isnan(y))
    _, first_gaps = np.unique(bucket[gaps], return_index=True)
    finite = np.flatnonzero(~np.isnan(y))
    by_value = finite[np.lexsort((y[finite], bucket[finite]))]
    starts = np.flatnonzero(np.diff(bucket[by_value], prepend=-1))
    ends = np.append(starts[1:], len(by_value))[: len(starts)] - 1
    kept = (by_value[starts], by_value[ends], gaps[first_gaps], [0, n - 1])
    return np.unique(np.concatenate(kept)).astype(np.int64)
