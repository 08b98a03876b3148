"""Linear regression from sums over parts of the data.

M rows of P inputs x and F outputs y; Q = P + F + 1.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray


class Linear(NamedTuple):
    """A linear predictor of outputs.

    Attributes:
        weights, offset: y is predicted as x weights + offset.
        variance: mean squared error of an output, on the data that it was fitted to.
    """

    weights: Float[ndarray, "P F"]
    offset: Float[ndarray, "F"]
    variance: float

    def __call__(self, x: Float[ndarray, "M P"]) -> Float[ndarray, "M F"]:
        return x @ self.weights + self.offset


def moments(x: Float[ndarray, "M P"], y: Float[ndarray, "M F"]) -> Float[ndarray, "Q Q"]:
    """Return z^T z of z = (x, y, 1), in float64; those of several parts add up."""
    z = np.hstack([x, y, np.ones((len(x), 1))])
    return z.T @ z


def solve(moments: Float[ndarray, "Q Q"], outputs: int, ridge: float) -> Linear:
    """Minimise mean ||y - x weights - offset||^2 + ridge ||weights||^2.

    Args:
        outputs: number F of values of y.
        ridge: positive; it also makes the minimum unique.
    """
    mean = moments[-1, :-1] / moments[-1, -1]
    covariance = moments[:-1, :-1] / moments[-1, -1] - np.outer(mean, mean)
    x, y = slice(None, -outputs), slice(-outputs, None)
    of_x = covariance[x, x] + ridge * np.eye(len(mean) - outputs)
    weights = np.linalg.solve(of_x, covariance[x, y])
    to_errors = np.vstack([-weights, np.eye(outputs)])
    variance = np.trace(to_errors.T @ covariance @ to_errors) / outputs
    return Linear(weights, mean[y] - mean[x] @ weights, float(variance))
