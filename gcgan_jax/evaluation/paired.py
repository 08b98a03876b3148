"""Scores of a generator and of its variants, for the same latents."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

GROUPS = 10  # of consecutive latents, whose differences give the standard error

Score = Callable[[np.ndarray], Mapping[str, float]]  # of images, uint8 [n, H, W, F]


@dataclass(frozen=True)
class Paired:
    """A score of a variant beside that of the original, for the same latents.

    Attributes:
        value: score of all images of the variant.
        difference: `value` minus that of the original.
        error: standard error of the difference, from the differences of GROUPS groups of images.
    """

    value: float
    difference: float
    error: float


def grouped_scores(images: np.ndarray, score: Score) -> dict[str, np.ndarray]:
    """Return each score of all images, followed by those of GROUPS groups of them.

    Raises:
        ValueError: there are fewer images than groups.
    """
    if len(images) < GROUPS:
        raise ValueError(f"{len(images)} images cannot be split into {GROUPS} groups")
    scores = [score(images), *map(score, np.array_split(images, GROUPS))]
    return {name: np.array([of[name] for of in scores]) for name in scores[0]}


def compare(
    variant: Mapping[str, np.ndarray], original: Mapping[str, np.ndarray]
) -> dict[str, Paired]:
    """Compare the results of `grouped_scores` for images of the same latents."""
    compared = {}
    for name, values in variant.items():
        difference = values - original[name]
        error = np.std(difference[1:], ddof=1) / np.sqrt(GROUPS)
        compared[name] = Paired(float(values[0]), float(difference[0]), float(error))
    return compared
