"""Procedural data sets: images that depend only on a few fields and whose structure is known."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from jaxtyping import UInt8
from numpy import ndarray

from gcgan_jax.data.images import Images
from gcgan_jax.ranges import Interval

BLOCK_VALUES = 2**20  # maximum size of a temporary array


@dataclass(frozen=True)
class Procedural(ABC):
    """The fields that procedural data sets have in common.

    Attributes:
        seed: seed of the run: 2 * seed draws the training images, 2 * seed + 1 those held out.
        image_size: side H of the square images.
        num_train, num_test: numbers of images.
    """

    seed: int
    image_size: int
    num_train: Annotated[int, Interval(1, 10**6)] = 10_000
    num_test: Annotated[int, Interval(1, 10**6)] = 1_000

    def load(self) -> Images:
        return Images(
            train=self.draw(2 * self.seed, self.num_train),
            test=self.draw(2 * self.seed + 1, self.num_test),
        )

    @abstractmethod
    def draw(self, seed: int, count: int) -> UInt8[ndarray, "{count} H H 3"]:
        """Generate images; a smaller count gives the first images of the same seed."""

    @abstractmethod
    def structure(self, images: UInt8[ndarray, "n H H 3"]) -> dict[str, float]:
        """Measure the structure of images without a network; see `Structured`."""


def blocks(count: int, values: int) -> Iterator[slice]:
    """Split count items of so many values each into slices of at most BLOCK_VALUES values."""
    step = max(1, BLOCK_VALUES // values)
    return (slice(start, start + step) for start in range(0, count, step))


def require_images(images: ndarray, side: int) -> None:
    """Raise ValueError unless these are RGB images of this side, at least one."""
    if images.ndim != 4 or images.shape[1:] != (side, side, 3) or not len(images):
        raise ValueError(f"images have shape {images.shape}: pass [n >= 1, {side}, {side}, 3]")
