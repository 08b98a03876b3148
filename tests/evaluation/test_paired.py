"""Paired comparison of scores."""

import numpy as np
import pytest

from gcgan_jax.evaluation.paired import GROUPS, compare, grouped_scores


def mean(images: np.ndarray) -> dict[str, float]:
    return {"mean": float(images.mean()), "count": len(images)}


def test_the_error_is_that_of_the_differences_alone() -> None:
    rng = np.random.default_rng(0)
    original = rng.normal(size=(200, 1, 1, 1))
    shift = 0.1 * rng.normal(size=(200, 1, 1, 1)) + 3
    scores = [grouped_scores(images, mean) for images in (original, original + shift)]
    np.testing.assert_allclose(scores[0]["count"], [200] + [20] * GROUPS)
    of_mean = compare(scores[1], scores[0])["mean"]
    assert of_mean.value == pytest.approx((original + shift).mean())
    assert of_mean.difference == pytest.approx(shift.mean())
    groups = shift.reshape(GROUPS, 20).mean(axis=1)
    assert of_mean.error == pytest.approx(np.std(groups, ddof=1) / np.sqrt(GROUPS))
    assert of_mean.error < 0.02  # unpaired, it would be 0.1


def test_there_must_be_an_image_in_each_group() -> None:
    with pytest.raises(ValueError, match="9 images cannot be split into 10 groups"):
        grouped_scores(np.zeros((9, 1, 1, 1)), mean)
