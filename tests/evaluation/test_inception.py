"""Inception against recorded outputs of torch-fidelity for the same random weights and images."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from gcgan_jax.evaluation.networks.inception import Inception, from_torch, resize
from scripts.evaluation import seeded

REFERENCE = np.load(Path(__file__).with_name("torch_fidelity.npz"))
SHAPES = {
    name.removeprefix("shape/"): tuple(REFERENCE[name])
    for name in REFERENCE.files
    if name.startswith("shape/")
}


@pytest.fixture(scope="module")
def variables() -> Any:
    return from_torch(seeded.weights(SHAPES))


def test_converted_weights_match_the_network(variables: Any) -> None:
    images = jax.ShapeDtypeStruct((1, 32, 32, 3), np.uint8)
    expected = jax.eval_shape(Inception().init, jax.random.key(0), images)
    actual = jax.tree.map(lambda leaf: leaf.shape, variables)
    assert actual == jax.tree.map(lambda leaf: leaf.shape, expected)


@pytest.mark.parametrize("size", seeded.SIZES)
def test_features_and_logits_match_torch_fidelity(size: tuple[int, int], variables: Any) -> None:
    features, logits = jax.jit(Inception().apply)(variables, seeded.images(size))
    name = "x".join(map(str, size))
    for actual, expected in (
        (features, REFERENCE[f"features/{name}"]),
        (logits, REFERENCE[f"logits/{name}"]),
    ):
        assert actual.shape == expected.shape
        assert abs(actual - expected).max() <= 1e-3 * abs(expected).max()
        assert np.ptp(expected, axis=0).max() > 0.01 * abs(expected).max()  # differ by image


@pytest.mark.parametrize("size", seeded.SIZES)
def test_resize_matches_torch_fidelity(size: tuple[int, int]) -> None:
    actual = np.asarray(jax.jit(resize)(seeded.images(size)))[:, ::13, ::17]
    expected = REFERENCE["resized/" + "x".join(map(str, size))]
    np.testing.assert_allclose(actual, expected, atol=1e-5 * 255)


@pytest.mark.parametrize(("size", "side"), [((3, 5), 8), ((7, 4), 5), ((1, 2), 3), ((6, 6), 6)])
def test_resize_matches_its_equation(size: tuple[int, int], side: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (1, *size, 3)).astype(np.uint8)
    actual = np.asarray(jax.jit(resize, static_argnums=1)(images, side))
    for i in range(side):
        for j in range(side):
            y, x = i * size[0] / side, j * size[1] / side
            top, left = int(y), int(x)
            bottom, right = min(top + 1, size[0] - 1), min(left + 1, size[1] - 1)
            dy, dx = y - top, x - left
            image = images[0].astype(float)
            above = (1 - dx) * image[top, left] + dx * image[top, right]
            below = (1 - dx) * image[bottom, left] + dx * image[bottom, right]
            expected = (1 - dy) * above + dy * below
            np.testing.assert_allclose(actual[0, i, j], expected, rtol=1e-5, atol=1e-3)
