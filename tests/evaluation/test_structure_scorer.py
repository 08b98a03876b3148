"""The structure scorer: real images score 0, and collapsed generators have large errors."""

from dataclasses import replace

import numpy as np
import pytest

from gcgan_jax.data import DATASETS
from gcgan_jax.evaluation.protocol import PROTOCOLS
from gcgan_jax.evaluation.scorers import diversity, make_structure_scorer, structure_error

FEW = replace(PROTOCOLS["small"], samples=300, diversity_samples=200)
SIDES = {"twins": 32, "echo": 32, "far_echo": 64, "parity": 32, "mirror": 32, "palette": 32}


@pytest.mark.parametrize(("name", "side"), SIDES.items())
def test_real_images_have_a_small_error_and_collapsed_ones_a_large_one(
    name: str, side: int
) -> None:
    data = DATASETS[name](seed=0, image_size=side, num_train=300, num_test=300)
    real, held_out = data.load()
    scorer = make_structure_scorer(data, real, FEW)
    assert (scorer.best, scorer.side) == ("structure_error", side)

    def error(images: np.ndarray) -> float:
        return scorer.score([images[None]])["structure_error"].value

    assert error(real) == 0
    assert error(held_out) < 0.3
    assert error(np.repeat(real[:1], 300, axis=0)) >= 1
    assert error(np.tile(real[:5], (60, 1, 1, 1))) > 0.5
    assert scorer.score([real[None, :299]]) is None


def test_errors_are_relative_for_large_values() -> None:
    expected = {"agreement": 0.5, "null": 0.0, "richness": 8.0, "diversity": 10.0}
    assert structure_error(expected, expected) == 0
    actual = {"agreement": 0.1, "null": -0.2, "richness": 6.0, "diversity": 20.0, "other": 1.0}
    assert structure_error(actual, expected) == pytest.approx(0.4 + 0.2 + 0.25 + 0.5)


def test_diversity_counts_the_directions_of_images() -> None:
    black = np.zeros((1, 4, 4, 3), np.uint8)
    lit = np.repeat(black, 5, axis=0)
    lit[range(5), 0, range(5) % np.array(4), [0, 0, 0, 0, 1]] = 100
    assert diversity(np.repeat(lit[:1], 9, axis=0)) == 0
    assert diversity(np.concatenate([black, lit[:1]])) == pytest.approx(1)
    # Images at the corners of a regular simplex vary equally in one direction fewer.
    assert diversity(np.tile(lit, (400, 1, 1, 1))) == pytest.approx(4, rel=0.01)
