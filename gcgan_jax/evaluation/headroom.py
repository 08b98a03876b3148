"""Headroom of a data set: what far pixels of an image say about a pixel that its surround does not.

The other pixels of a window of w x w, s_i, predict that in its centre, x_i. A linear predictor of
x_i, fitted on training images, leaves residuals e_i. What k far nodes j say about these, see
`far_nodes`, is measured by two more linear predictors,

    mean:      p_i = A mean_j e_j + c,
    weighted:  p_i = sum_r (A_r + B_r gamma_ij) e_j + c,  gamma_ij = exp(-||s_j - s_i||^2 / (D v)),

where j is the r-th of the k nodes with the surrounds nearest to that of i, and v the variance of
the residuals. gamma is ECC's edge attention (thesis eq. 3.15), which here tells true copies from
nodes beside them. On held-out images,

    explained = 1 - sum ||e_i - p_i||^2 / sum ||e_i||^2,
    headroom = explained(same image) - explained(another image),

where another image, the previous one of the set, offers its nodes at the same places: it shows what
similarity alone is worth, as Zontak and Irani compare internal with external patches (Internal
statistics of a single natural image, CVPR 2011).

n images of H x W pixels with F channels; R nodes i, k nodes j for each, D values of a surround.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import chain, islice
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from gcgan_jax.evaluation.far_nodes import Nodes, draw, make_nodes, nearest, windows
from gcgan_jax.evaluation.regression import Linear, moments, solve
from gcgan_jax.runtime.progress import progress

ROUNDING = (2 / 255) ** 2 / 12  # variance of rounding pixels in [-1, 1] to 8 bits; the ridge
ORIGINS = SAME, ANOTHER, RANDOM = "same image", "another image", "random nodes"  # of the nodes j
PREDICTORS = MEAN, WEIGHTED = "mean", "weighted"
HEADROOM = "headroom"

Key = tuple[str, str]  # predictor and origin


@dataclass(frozen=True)
class Share:
    """A share of the squared residuals of all held-out images, and its standard error.

    Both are None if nothing is left to explain, the error also if only one image has residuals.
    """

    value: float | None
    error: float | None


@dataclass(frozen=True)
class Headroom:
    """What is explained of the pixels of held-out images.

    Attributes:
        by_surround: share of the pixels' variance that their surrounds explain; None if it is 0.
        explained: share of the rest that nodes of each origin explain, and the HEADROOM, by
            predictor.
    """

    by_surround: float | None
    explained: Mapping[str, Mapping[str, Share]]


class Example(NamedTuple):
    """What is predicted in an image, and from what.

    Attributes:
        pixels: x_i.
        residuals: e_i.
        messages: inputs of the predictors.
    """

    pixels: Float[ndarray, "R F"]
    residuals: Float[ndarray, "R F"]
    messages: Mapping[Key, Float[ndarray, "R _"]]


def measure(train: UInt8[ndarray, "n H W F"], test: UInt8[ndarray, "m H W F"]) -> Headroom:
    """Fit all predictors on training images, and measure what they explain of held-out ones.

    The errors are the jackknife's over held-out images.

    Raises:
        ValueError: a split has less than two images, or they are too small for any far nodes.
    """
    if min(len(train), len(test)) < 2:
        raise ValueError(f"{len(train)} and {len(test)} images: pass at least two of each split")
    nodes = make_nodes(*train.shape[1:3])
    sums = reduce(np.add, (moments(*windows(image)) for image in train))
    local = solve(sums, train.shape[-1], ROUNDING)
    examples = progress(
        chain(*(make_examples(images, local, nodes) for images in (train, test))),
        len(train) + len(test),
        "images",
    )
    return evaluate(fit(islice(examples, len(train))), examples)


def make_examples(
    images: UInt8[ndarray, "n H W F"], local: Linear, nodes: Nodes
) -> Iterator[Example]:
    """Yield an example of each image; the first one follows the last."""
    rng, i = np.random.default_rng(0), nodes.chosen
    bandwidth = max(local.variance, ROUNDING)
    others, pixels_of_others = windows(images[-1])
    residuals_of_others = pixels_of_others - local(others)
    for image in images:
        surrounds, pixels = windows(image)
        residuals, s_i = pixels - local(surrounds), surrounds[i]
        origins = {
            SAME: (surrounds, residuals, nearest(s_i, surrounds, nodes)),
            ANOTHER: (others, residuals_of_others, nearest(s_i, others, nodes)),
            RANDOM: (surrounds, residuals, draw(rng, nodes)),
        }
        messages = {
            (predictor, origin): message
            for origin, (s, e, j) in origins.items()
            for predictor, message in make_messages(s_i, s[j], e[j], bandwidth).items()
        }
        yield Example(pixels[i], residuals[i], messages)
        others, residuals_of_others = surrounds, residuals


def make_messages(
    s_i: Float[ndarray, "R D"],
    s_j: Float[ndarray, "R k D"],
    e_j: Float[ndarray, "R k F"],
    bandwidth: float,
) -> dict[str, Float[ndarray, "R _"]]:
    """Return the inputs of both predictors; the bandwidth is v."""
    distances = np.mean((s_j - s_i[:, None]) ** 2, axis=-1, keepdims=True)
    weighted = np.exp(-distances / bandwidth) * e_j
    both = np.concatenate([e_j, weighted], axis=1)
    return {MEAN: e_j.mean(axis=1), WEIGHTED: both.reshape(len(both), -1)}


def fit(examples: Iterable[Example]) -> dict[Key, Linear]:
    """Fit all predictors."""
    sums: dict[Key, ndarray] = {}
    for example in examples:
        for key, message in example.messages.items():
            sums[key] = sums.get(key, 0) + moments(message, example.residuals)
    return {key: solve(total, example.residuals.shape[-1], ROUNDING) for key, total in sums.items()}


def evaluate(predictors: Mapping[Key, Linear], examples: Iterable[Example]) -> Headroom:
    """Measure what predictors explain of the residuals of the examples' images.

    If surrounds leave less than the rounding of pixels to 8 bits, nothing is left to explain.
    """
    pixels, squares, rest = [], [], []
    for x, e, messages in examples:
        pixels.append(x)
        squares.append(np.sum(e**2))
        rest.append({key: np.sum((e - f(messages[key])) ** 2) for key, f in predictors.items()})
    x, total = np.stack(pixels).astype(np.float64), np.array(squares)
    left = {key: np.array([of[key] for of in rest]) for key in predictors}
    variation = np.sum((x - x.mean(axis=(0, 1))) ** 2)
    by_surround = float(1 - np.sum(total) / variation) if variation else None
    if np.sum(total) <= ROUNDING * x.size:
        total = np.zeros_like(total)
    explained = {
        name: {
            **{origin: share(total - left[name, origin], total) for origin in ORIGINS},
            HEADROOM: share(left[name, ANOTHER] - left[name, SAME], total),
        }
        for name in PREDICTORS
    }
    return Headroom(by_surround, explained)


def share(parts: Float[ndarray, "m"], wholes: Float[ndarray, "m"]) -> Share:
    """Return sum(parts) / sum(wholes) and its jackknife error over the m items.

    The error is sqrt((m - 1) / m sum (r_i - mean r)^2), r_i being the share without item i.
    """
    part, whole, m = np.sum(parts), np.sum(wholes), len(wholes)
    if whole == 0:
        return Share(None, None)
    if np.any(wholes == whole):
        return Share(float(part / whole), None)
    without = (part - parts) / (whole - wholes)
    return Share(float(part / whole), float(np.sqrt((m - 1) * np.var(without))))
