"""What every data set gives."""

from typing import NamedTuple, Protocol

import numpy as np


class Images(NamedTuple):
    """uint8 [n, H, W, F] each; `test` is held out."""

    train: np.ndarray
    test: np.ndarray


class Dataset(Protocol):
    """Where images come from."""

    def load(self) -> Images:
        """Raises UserError if they are absent or corrupted."""
        ...
