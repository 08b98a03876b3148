"""What signatures accept as an array."""

import numpy as np
from jax import Array

AnyArray = Array | np.ndarray
