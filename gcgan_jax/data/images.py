"""The interface of a data set."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np

T = TypeVar("T")


class Images(NamedTuple):
    """Images of both splits, uint8 [n, H, W, F] each; `test` is held out."""

    train: np.ndarray
    test: np.ndarray


@runtime_checkable
class Progress(Protocol):
    """Yields items, and shows how many of `total` are done if that takes long."""

    def __call__(self, items: Iterable[T], total: float, unit: str) -> Iterator[T]: ...


def silently(items: Iterable[T], total: float, unit: str) -> Iterator[T]:
    """Show nothing."""
    return iter(items)


class Labels(NamedTuple):
    """The class of each image of both splits, int [n] each, from 0."""

    train: np.ndarray
    test: np.ndarray


class Dataset(Protocol):
    """A source of images."""

    def load(self) -> Images:
        """Return the images; raise UserError if they are missing or corrupted."""
        ...


@runtime_checkable
class Structured(Dataset, Protocol):
    """A data set whose images have a structure that can be measured without a network."""

    def structure(self, images: np.ndarray) -> dict[str, float]:
        """Measure the structure of images, uint8 [n, H, W, F], by name.

        What the names mean, and their values on the data set's own images, is up to the data set.
        """
        ...


@runtime_checkable
class Labelled(Dataset, Protocol):
    """A data set whose images have classes."""

    def load_labelled(self) -> tuple[Images, Labels]:
        """Return the images of `load` and their classes; raise UserError as it does."""
        ...
