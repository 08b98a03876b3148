"""Numerical derivatives."""

from collections.abc import Callable

import numpy as np
from numpy import ndarray


def gradients(scalar: Callable[..., float], *arrays: ndarray, step: float = 1e-6) -> list[ndarray]:
    """Compute d scalar / d array for each array, by central differences."""
    arrays = tuple(np.array(array, np.float64) for array in arrays)
    gradients = []
    for array in arrays:
        gradient = np.zeros_like(array)
        for index in np.ndindex(array.shape):
            value = array[index]
            array[index] = value + step
            above = scalar(*arrays)
            array[index] = value - step
            below = scalar(*arrays)
            array[index] = value
            gradient[index] = (above - below) / (2 * step)
        gradients.append(gradient)
    return gradients
