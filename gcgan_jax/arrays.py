"""The array type that signatures accept."""

import numpy as np
from jax import Array

AnyArray = Array | np.ndarray
