"""The interface of a data set."""

from typing import NamedTuple, Protocol

import numpy as np


class Images(NamedTuple):
    """Images of both splits, uint8 [n, H, W, F] each; `test` is held out."""

    train: np.ndarray
    test: np.ndarray


class Dataset(Protocol):
    """A source of images."""

    def load(self) -> Images:
        """Return the images; raise UserError if they are missing or corrupted."""
        ...
