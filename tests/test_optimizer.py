"""Optimisers and schedule against numpy."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gcgan_jax.config import Optimizer
from gcgan_jax.optimizer import descend, linear_decay, make_direction, move_average

GRADIENTS = np.array([[1e-6, -3.0, 0.0], [2e-6, 1.0, 0.5], [-1e-6, 0.1, 0.0]])


def directions(name: str) -> list[np.ndarray]:
    direction = make_direction(Optimizer(name, b1=0.0, b2=0.9, eps=1e-8))
    state = direction.init(jnp.zeros(3))
    update = jax.jit(direction.update)
    found = []
    for gradient in GRADIENTS:
        step, state = update(jnp.asarray(gradient), state)
        found.append(np.asarray(step))
    return found


def test_rmsprop_adds_epsilon_outside_the_root_and_starts_at_zero() -> None:
    v = np.zeros(3)
    for gradient, step in zip(GRADIENTS, directions("rmsprop"), strict=True):
        v = 0.9 * v + 0.1 * gradient**2
        np.testing.assert_allclose(step, gradient / (np.sqrt(v) + 1e-8), rtol=1e-5)


def test_adam_corrects_its_bias() -> None:
    v = np.zeros(3)
    for t, (gradient, step) in enumerate(zip(GRADIENTS, directions("adam"), strict=True), 1):
        v = 0.9 * v + 0.1 * gradient**2
        np.testing.assert_allclose(step, gradient / (np.sqrt(v / (1 - 0.9**t)) + 1e-8), rtol=1e-5)


@pytest.mark.parametrize(
    ("iteration", "expected"), [(0, 1e-4), (25_000, 7.5e-5), (100_000, 0.0), (150_000, 0.0)]
)
def test_learning_rate_falls_linearly_to_zero(iteration: int, expected: float) -> None:
    rate = jax.jit(lambda i: linear_decay(1e-4, i, 100_000))(iteration)
    assert rate == pytest.approx(expected, rel=1e-5, abs=1e-12)


def test_descend_goes_against_the_direction() -> None:
    moved = descend({"w": jnp.ones(2)}, {"w": jnp.array([1.0, -2.0])}, jnp.asarray(0.1))
    np.testing.assert_allclose(moved["w"], [0.9, 1.2])


def test_average_forgets_its_start() -> None:
    values = np.random.default_rng(0).normal(size=(6, 3))
    average = expected = np.full(3, 100.0)
    move = jax.jit(partial(move_average, decay=0.7))
    for t, value in enumerate(values, 1):
        average = move({"w": average}, {"w": value}, iteration=jnp.asarray(t))["w"]
        d = min(0.7, t / (t + 9))
        expected = d * expected + (1 - d) * value
        np.testing.assert_allclose(average, expected, rtol=1e-5)
    assert abs(average).max() < 5
