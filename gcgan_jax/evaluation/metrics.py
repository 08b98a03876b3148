"""Scores computed in float64 from the features and logits of a network.

n and m samples of two sets, F features, C classes.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

ROWS = 1000  # rows of a distance matrix computed at a time


class Gaussian(NamedTuple):
    """A Gaussian fitted to features."""

    mean: Float[ndarray, "F"]
    covariance: Float[ndarray, "F F"]


def inception_score(logits: Float[ndarray, "n C"], splits: int) -> tuple[float, float]:
    """Compute exp(mean KL(p(y|x) || p(y))); mean and standard deviation over contiguous splits.

    Salimans et al. 2016, arXiv:1606.03498; p = softmax(logits), p(y) is its mean over a split.

    Args:
        logits: logits of the samples.
        splits: number of splits, of n // splits samples or one more, in the order of the samples.

    Raises:
        ValueError: there are fewer samples than splits.

    Example:
        >>> inception_score(1000 * np.eye(4), splits=1)  # sure of each sample, and all classes
        (4.0, 0.0)
    """
    n = len(logits)
    if not 1 <= splits <= n:
        raise ValueError(f"splits = {splits} is invalid for {n} samples: choose 1 to {n}")
    log_p = logits.astype(np.float64)
    log_p = log_p - log_p.max(axis=1, keepdims=True)
    log_p -= np.log(np.exp(log_p).sum(axis=1, keepdims=True))
    bounds = [i * n // splits for i in range(splits + 1)]
    scores = []
    for part in (log_p[a:b] for a, b in pairwise(bounds)):
        p = np.exp(part)
        mean = p.mean(axis=0)
        predicted = mean > 0  # other classes contribute 0, not 0 * (-inf)
        kl = (p[:, predicted] * (part[:, predicted] - np.log(mean[predicted]))).sum(axis=1)
        scores.append(np.exp(kl.mean()))
    return float(np.mean(scores)), float(np.std(scores))


def gaussian(features: Float[ndarray, "n F"]) -> Gaussian:
    """Compute mean and covariance (divided by n - 1) of the features of n >= 2 samples.

    Example:
        >>> mean, covariance = gaussian(np.array([[0.0], [2.0]]))
        >>> mean.tolist(), covariance.tolist()
        ([1.0], [[2.0]])
    """
    features = features.astype(np.float64)
    covariance = np.atleast_2d(np.cov(features, rowvar=False))  # a scalar for one feature
    return Gaussian(features.mean(axis=0), covariance)


def frechet_distance(a: Gaussian, b: Gaussian) -> float:
    """FID, |m_a - m_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)); Heusel et al. 2017, arXiv:1706.08500.

    The trace of the square root is the sum of the square roots of the eigenvalues of the symmetric
    S_a^(1/2) S_b S_a^(1/2), which are those of S_a S_b. This is accurate for covariances of fewer
    samples than features too, for which a general matrix square root is not.

    Example:
        >>> a, b = Gaussian(np.zeros(2), np.eye(2)), Gaussian(np.array([3.0, 4.0]), np.eye(2))
        >>> round(frechet_distance(a, b), 6)
        25.0
    """
    values, vectors = np.linalg.eigh(a.covariance)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    eigenvalues = np.linalg.eigvalsh(root @ b.covariance @ root)
    trace_of_root = np.sqrt(np.maximum(eigenvalues, 0)).sum()
    difference = a.mean - b.mean
    traces = np.trace(a.covariance) + np.trace(b.covariance)
    return float(difference @ difference + traces - 2 * trace_of_root)


def kernel_distance(
    a: Float[ndarray, "n F"],
    b: Float[ndarray, "m F"],
    *,
    subsets: int,
    subset_size: int,
    seed: int,
) -> tuple[float, float]:
    """KID: unbiased MMD^2 with kernel (x.y / F + 1)^3, mean and standard deviation over subsets.

    Binkowski et al. 2018, arXiv:1801.01401. Subsets are drawn as in torch-fidelity: by numpy's
    frozen `RandomState`, from a and then from b.

    Args:
        a, b: features of at least `subset_size` samples each; else ValueError.

    Example:
        >>> kernel_distance(np.zeros((4, 1)), np.ones((4, 1)), subsets=2, subset_size=3, seed=0)
        (7.0, 0.0)
    """
    limit = min(len(a), len(b))
    if not 2 <= subset_size <= limit:
        raise ValueError(
            f"subset_size = {subset_size} is invalid for sets of {len(a)} and {len(b)} samples: "
            f"choose 2 to {limit}"
        )
    random = np.random.RandomState(seed)
    distances = []
    for _ in range(subsets):
        x, y = (
            f[random.choice(len(f), subset_size, replace=False)].astype(np.float64) for f in (a, b)
        )
        pairs = subset_size * (subset_size - 1)
        inner = [_kernel(z, z) for z in (x, y)]
        within = sum(kernel.sum() - kernel.trace() for kernel in inner) / pairs
        distances.append(within - 2 * _kernel(x, y).mean())
    return float(np.mean(distances)), float(np.std(distances))


def precision_recall(
    generated: Float[ndarray, "n F"], real: Float[ndarray, "m F"], neighbours: int
) -> tuple[float, float]:
    """Compute improved precision and recall, Kynkaanniemi et al. 2019, arXiv:1904.06991.

    These are the fractions of generated samples within the manifold of real ones, and vice versa.
    A sample is within the manifold of a set if it is at most as far from one of its members as
    that member's `neighbours`-th nearest neighbour in the set.

    Args:
        generated, real: features of more than `neighbours` samples each; else ValueError.

    Example:
        >>> real = np.array([[0.0], [1.0], [2.0], [3.0]])
        >>> generated = np.array([[0.0], [0.5], [1.0]])
        >>> precision_recall(generated, real, neighbours=1)
        (1.0, 0.5)
    """
    limit = min(len(generated), len(real)) - 1
    if not 1 <= neighbours <= limit:
        raise ValueError(
            f"neighbours = {neighbours} is invalid for sets of {len(generated)} and {len(real)} "
            f"samples: choose 1 to {limit}"
        )
    return (
        _fraction_within(generated, real, _radii(real, neighbours)),
        _fraction_within(real, generated, _radii(generated, neighbours)),
    )


def _kernel(x: Float[ndarray, "n F"], y: Float[ndarray, "m F"]) -> Float[ndarray, "n m"]:
    return (x @ y.T / x.shape[1] + 1) ** 3


def _radii(samples: Float[ndarray, "n F"], neighbours: int) -> Float[ndarray, "n"]:
    """Compute the squared distance of each sample to its `neighbours`-th nearest neighbour."""
    radii = [
        np.partition(_squared_distances(chunk, samples), neighbours, axis=1)[:, neighbours]
        for chunk in _chunks(samples)
    ]
    return np.concatenate(radii)


def _fraction_within(
    samples: Float[ndarray, "n F"], members: Float[ndarray, "m F"], radii: Float[ndarray, "m"]
) -> float:
    within = [
        (_squared_distances(chunk, members) <= radii).any(axis=1) for chunk in _chunks(samples)
    ]
    return float(np.concatenate(within).mean())


def _chunks(samples: Float[ndarray, "n F"]) -> list[Float[ndarray, "_ F"]]:
    return [samples[start : start + ROWS] for start in range(0, len(samples), ROWS)]


def _squared_distances(x: Float[ndarray, "n F"], y: Float[ndarray, "m F"]) -> Float[ndarray, "n m"]:
    x, y = x.astype(np.float64), y.astype(np.float64)
    squares = (x * x).sum(axis=1)[:, None] + (y * y).sum(axis=1)
    return np.maximum(squares - 2 * x @ y.T, 0)
