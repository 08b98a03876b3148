"""The scores, in float64, from the features and logits of a network.

n samples, m of another set, F features, C classes.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

ROWS = 1000  # of a matrix of distances held at once


class Gaussian(NamedTuple):
    mean: Float[ndarray, "F"]
    covariance: Float[ndarray, "F F"]


def inception_score(logits: Float[ndarray, "n C"], splits: int) -> tuple[float, float]:
    """exp of the mean KL(p(y|x) || p(y)), mean and standard deviation over contiguous splits.

    Salimans et al. 2016, arXiv:1606.03498; p = softmax(logits), p(y) is its mean over a split.

    Args:
        logits: of the samples.
        splits: parts of n // splits samples or one more, in the order of the samples.

    Raises:
        ValueError: fewer samples than splits.
    """
    n = len(logits)
    if not 1 <= splits <= n:
        raise ValueError(f"splits = {splits} of {n} samples: choose 1 to {n}")
    log_p = logits.astype(np.float64)
    log_p = log_p - log_p.max(axis=1, keepdims=True)
    log_p -= np.log(np.exp(log_p).sum(axis=1, keepdims=True))
    bounds = [i * n // splits for i in range(splits + 1)]
    scores = []
    for part in (log_p[a:b] for a, b in pairwise(bounds)):
        p = np.exp(part)
        mean = p.mean(axis=0)
        seen = mean > 0  # a class nobody predicts adds 0, not 0 * (-inf)
        kl = (p[:, seen] * (part[:, seen] - np.log(mean[seen]))).sum(axis=1)
        scores.append(np.exp(kl.mean()))
    return float(np.mean(scores)), float(np.std(scores))


def gaussian(features: Float[ndarray, "n F"]) -> Gaussian:
    """Mean and covariance (divided by n - 1) of the features of n >= 2 samples."""
    features = features.astype(np.float64)
    covariance = np.atleast_2d(np.cov(features, rowvar=False))  # of one feature, a number
    return Gaussian(features.mean(axis=0), covariance)


def frechet_distance(a: Gaussian, b: Gaussian) -> float:
    """FID, |m_a - m_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)); Heusel et al. 2017, arXiv:1706.08500.

    The root's trace is the sum of the roots of the eigenvalues of S_a^(1/2) S_b S_a^(1/2), which is
    symmetric and has those of S_a S_b: covariances of fewer samples than features, whose
    product's root a general algorithm finds badly, are as good as any.
    """
    values, vectors = np.linalg.eigh(a.covariance)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    products = np.linalg.eigvalsh(root @ b.covariance @ root)
    of_root = np.sqrt(np.maximum(products, 0)).sum()
    difference = a.mean - b.mean
    traces = np.trace(a.covariance) + np.trace(b.covariance)
    return float(difference @ difference + traces - 2 * of_root)


def kernel_distance(
    a: Float[ndarray, "n F"],
    b: Float[ndarray, "m F"],
    *,
    subsets: int,
    subset_size: int,
    seed: int,
) -> tuple[float, float]:
    """Unbiased MMD^2 with the kernel (x.y / F + 1)^3, mean and standard deviation over subsets.

    KID of Binkowski et al. 2018, arXiv:1801.01401. The subsets are drawn as torch-fidelity draws
    them, by numpy's frozen `RandomState`, from a and then from b.

    Args:
        a, b: features of at least `subset_size` samples each; else ValueError.
    """
    if not 2 <= subset_size <= min(len(a), len(b)):
        raise ValueError(f"subset_size = {subset_size} of {len(a)} and {len(b)} samples")
    draw = np.random.RandomState(seed)
    distances = []
    for _ in range(subsets):
        x, y = (
            f[draw.choice(len(f), subset_size, replace=False)].astype(np.float64) for f in (a, b)
        )
        pairs = subset_size * (subset_size - 1)
        inner = [_kernel(z, z) for z in (x, y)]
        within = sum(kernel.sum() - kernel.trace() for kernel in inner) / pairs
        distances.append(within - 2 * _kernel(x, y).mean())
    return float(np.mean(distances)), float(np.std(distances))


def precision_recall(
    generated: Float[ndarray, "n F"], real: Float[ndarray, "m F"], neighbours: int
) -> tuple[float, float]:
    """Share of generated samples among the real ones, and of real ones among the generated.

    Improved precision and recall, Kynkaanniemi et al. 2019, arXiv:1904.06991: a sample is among
    others if it is at most as far from one of them as that one's `neighbours`-th nearest.

    Args:
        generated, real: features of more than `neighbours` samples each; else ValueError.
    """
    if not 1 <= neighbours < min(len(generated), len(real)):
        raise ValueError(f"neighbours = {neighbours} of {len(generated)} and {len(real)} samples")
    return (
        _share_among(generated, real, _radii(real, neighbours)),
        _share_among(real, generated, _radii(generated, neighbours)),
    )


def _kernel(x: Float[ndarray, "n F"], y: Float[ndarray, "m F"]) -> Float[ndarray, "n m"]:
    return (x @ y.T / x.shape[1] + 1) ** 3


def _radii(samples: Float[ndarray, "n F"], neighbours: int) -> Float[ndarray, "n"]:
    """Squared distance of each sample to its `neighbours`-th nearest other one."""
    parts = [
        np.partition(_squared_distances(part, samples), neighbours, axis=1)[:, neighbours]
        for part in _parts(samples)
    ]
    return np.concatenate(parts)


def _share_among(
    samples: Float[ndarray, "n F"], others: Float[ndarray, "m F"], radii: Float[ndarray, "m"]
) -> float:
    inside = [(_squared_distances(part, others) <= radii).any(axis=1) for part in _parts(samples)]
    return float(np.concatenate(inside).mean())


def _parts(samples: Float[ndarray, "n F"]) -> list[Float[ndarray, "_ F"]]:
    return [samples[start : start + ROWS] for start in range(0, len(samples), ROWS)]


def _squared_distances(x: Float[ndarray, "n F"], y: Float[ndarray, "m F"]) -> Float[ndarray, "n m"]:
    x, y = x.astype(np.float64), y.astype(np.float64)
    squares = (x * x).sum(axis=1)[:, None] + (y * y).sum(axis=1)
    return np.maximum(squares - 2 * x @ y.T, 0)
