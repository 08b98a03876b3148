"""Scores against loops that follow their equations, closed forms and torch-fidelity's values."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gcgan_jax.evaluation.metrics import (
    Gaussian,
    frechet_distance,
    gaussian,
    inception_score,
    kernel_distance,
    precision_recall,
)
from scripts.evaluation import seeded

GENERATED, REAL, LOGITS = seeded.samples()
REFERENCE = np.load(Path(__file__).with_name("torch_fidelity.npz"))


def test_scores_match_torch_fidelity() -> None:
    close = np.testing.assert_allclose
    close(inception_score(LOGITS, splits=10), REFERENCE["score"], rtol=1e-6)
    close(frechet_distance(gaussian(GENERATED), gaussian(REAL)), REFERENCE["fid"][0], rtol=1e-6)
    kid = kernel_distance(GENERATED, REAL, subsets=20, subset_size=100, seed=2020)
    close(kid, REFERENCE["kid"], rtol=1e-6)
    close(precision_recall(GENERATED, REAL, neighbours=3), REFERENCE["precision_recall"], atol=1e-4)


@pytest.mark.parametrize("splits", [1, 3, 7])
def test_inception_score_matches_its_equation(splits: int) -> None:
    logits, n = LOGITS[:23], 23
    p = [[np.exp(v) / sum(np.exp(u) for u in row) for v in row] for row in logits]
    scores = []
    for i in range(splits):
        part = p[i * n // splits : (i + 1) * n // splits]
        mean = [sum(row[c] for row in part) / len(part) for c in range(7)]
        kl = [sum(row[c] * np.log(row[c] / mean[c]) for c in range(7)) for row in part]
        scores.append(np.exp(sum(kl) / len(kl)))
    std = np.sqrt(sum((s - sum(scores) / splits) ** 2 for s in scores) / splits)
    np.testing.assert_allclose(
        inception_score(logits, splits), (sum(scores) / splits, std), rtol=1e-10, atol=1e-12
    )


def test_inception_score_of_confident_and_uniform_predictions() -> None:
    confident = 1e4 * np.eye(8)[np.arange(80) % 8]
    np.testing.assert_allclose(inception_score(confident, splits=10), (8, 0), atol=1e-12)
    one_class = 1e4 * np.eye(8)[np.zeros(80, int)]
    np.testing.assert_allclose(inception_score(one_class, splits=10), (1, 0), atol=1e-12)
    uniform = np.full((80, 8), 3.0)
    np.testing.assert_allclose(inception_score(uniform, splits=10), (1, 0), atol=1e-12)
    np.testing.assert_allclose(
        inception_score(LOGITS + 1e3, splits=2), inception_score(LOGITS, splits=2), rtol=1e-9
    )


def test_frechet_distance_of_known_gaussians() -> None:
    random = np.random.default_rng(0)
    rotation, _ = np.linalg.qr(random.normal(size=(5, 5)))
    a, b = random.uniform(0.1, 4, (2, 5))
    means = random.normal(size=(2, 5))
    first = Gaussian(means[0], rotation * a @ rotation.T)
    second = Gaussian(means[1], rotation * b @ rotation.T)  # covariances commute
    expected = ((means[0] - means[1]) ** 2).sum() + ((np.sqrt(a) - np.sqrt(b)) ** 2).sum()
    np.testing.assert_allclose(frechet_distance(first, second), expected, rtol=1e-10)
    np.testing.assert_allclose(frechet_distance(second, first), expected, rtol=1e-10)
    np.testing.assert_allclose(frechet_distance(first, first), 0, atol=1e-10)


def test_frechet_distance_with_fewer_samples_than_features() -> None:
    random = np.random.default_rng(1)
    few = gaussian(random.normal(size=(5, 40)))
    shifted = Gaussian(few.mean + 1, few.covariance)
    np.testing.assert_allclose(frechet_distance(few, shifted), 40, rtol=1e-6)
    widened = Gaussian(few.mean, 4 * few.covariance)
    np.testing.assert_allclose(frechet_distance(few, widened), np.trace(few.covariance), rtol=1e-6)


def test_gaussian_matches_its_equation() -> None:
    features = GENERATED[:9, :3]
    actual = gaussian(features.astype(np.float32))
    assert actual.covariance.dtype == np.float64
    mean = [sum(row[i] for row in features) / 9 for i in range(3)]
    for i in range(3):
        np.testing.assert_allclose(actual.mean[i], mean[i], rtol=1e-6)
        for j in range(3):
            products = [(row[i] - mean[i]) * (row[j] - mean[j]) for row in features]
            np.testing.assert_allclose(actual.covariance[i, j], sum(products) / 8, rtol=1e-5)
    assert gaussian(features[:, :1]).covariance.shape == (1, 1)


def test_kernel_distance_matches_its_equation() -> None:
    x, y = GENERATED[:6], REAL[:6]

    def kernel(u: np.ndarray, v: np.ndarray) -> float:
        return (sum(a * b for a, b in zip(u, v, strict=True)) / 12 + 1) ** 3

    pairs = [(i, j) for i in range(6) for j in range(6) if i != j]
    within = sum(kernel(x[i], x[j]) + kernel(y[i], y[j]) for i, j in pairs) / 30
    between = sum(kernel(u, v) for u in x for v in y) / 36
    actual = kernel_distance(x, y, subsets=3, subset_size=6, seed=0)
    np.testing.assert_allclose(actual, (within - 2 * between, 0), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("neighbours", [1, 3, 18])
def test_precision_and_recall_match_their_definition(neighbours: int) -> None:
    generated, real = GENERATED[:20, :3], REAL[:19, :3]

    def fraction_within(samples: np.ndarray, members: np.ndarray) -> float:
        within = 0
        for sample in samples:
            for i, member in enumerate(members):
                others = np.delete(members, i, axis=0)
                radius = sorted(np.linalg.norm(member - other) for other in others)[neighbours - 1]
                if np.linalg.norm(sample - member) <= radius:
                    within += 1
                    break
        return within / len(samples)

    actual = precision_recall(generated, real, neighbours)
    expected = fraction_within(generated, real), fraction_within(real, generated)
    np.testing.assert_allclose(actual, expected)


def test_precision_and_recall_of_extreme_cases() -> None:
    far = GENERATED + 1e3
    assert precision_recall(GENERATED, GENERATED, 3) == (1, 1)
    assert precision_recall(far, REAL, 3) == (0, 0)
    precision, recall = precision_recall(np.repeat(REAL[:2], 50, axis=0), REAL, 3)
    assert precision == 1
    assert recall <= 2 / len(REAL)  # only the two repeated samples


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (lambda: inception_score(LOGITS, splits=301), "splits = 301"),
        (
            lambda: kernel_distance(GENERATED, REAL, subsets=1, subset_size=261, seed=0),
            "subset_size = 261",
        ),
        (lambda: precision_recall(GENERATED, REAL, 260), "neighbours = 260"),
    ],
)
def test_too_few_samples_are_rejected(score: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        score()
