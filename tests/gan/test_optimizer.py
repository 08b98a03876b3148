"""Optimisers, learning rate schedule and EMA against numpy."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gcgan_jax.gan.optimizer import Optimizers, make_optimizers, update_ema

GRADIENTS = np.array([[1e-6, -3.0, 0.0], [2e-6, 1.0, 0.5], [-1e-6, 0.1, 0.0]])


DECAY_ITERATIONS, N_CRITIC = 4, 2


def optimizers(name: str, learning_rate: float = 0.1) -> Optimizers:
    return make_optimizers(
        name,
        learning_rate,
        decay_iterations=DECAY_ITERATIONS,
        n_critic=N_CRITIC,
        b1=0.0,
        b2=0.9,
        eps=1e-8,
    )


def updates(optimizer: optax.GradientTransformation) -> list[np.ndarray]:
    state = optimizer.init(jnp.zeros(3))
    update = jax.jit(optimizer.update)
    all_updates = []
    for gradient in GRADIENTS:
        step, state = update(jnp.asarray(gradient), state)
        all_updates.append(np.asarray(step))
    return all_updates


def test_rmsprop_adds_epsilon_outside_the_root_and_starts_at_zero() -> None:
    v = np.zeros(3)
    steps = updates(optimizers("rmsprop").generator)
    for t, (gradient, step) in enumerate(zip(GRADIENTS, steps, strict=True)):
        v = 0.9 * v + 0.1 * gradient**2
        rate = 0.1 * (1 - t / DECAY_ITERATIONS)
        np.testing.assert_allclose(step, -rate * gradient / (np.sqrt(v) + 1e-8), rtol=1e-5)


def test_adam_corrects_its_bias() -> None:
    v = np.zeros(3)
    steps = updates(optimizers("adam").generator)
    for t, (gradient, step) in enumerate(zip(GRADIENTS, steps, strict=True)):
        v = 0.9 * v + 0.1 * gradient**2
        expected = gradient / (np.sqrt(v / (1 - 0.9 ** (t + 1))) + 1e-8)
        rate = 0.1 * (1 - t / DECAY_ITERATIONS)
        np.testing.assert_allclose(step, -rate * expected, rtol=1e-5)


def test_critic_learning_rate_is_constant_within_an_iteration() -> None:
    both = optimizers("rmsprop")
    for critic_step, generator_step, t in zip(
        updates(both.critic), updates(both.generator), range(3), strict=True
    ):
        rates = [both.learning_rate(count) for count in (t // N_CRITIC, t)]
        np.testing.assert_allclose(critic_step * rates[1], generator_step * rates[0], rtol=1e-6)


@pytest.mark.parametrize(("iteration", "expected"), [(0, 0.1), (1, 0.075), (4, 0.0), (9, 0.0)])
def test_learning_rate_decays_linearly_to_zero(iteration: int, expected: float) -> None:
    rate = jax.jit(optimizers("rmsprop").learning_rate)(iteration)
    assert rate == pytest.approx(expected, rel=1e-5, abs=1e-9)


def test_ema_forgets_its_initial_value() -> None:
    values = np.random.default_rng(0).normal(size=(6, 3))
    ema = expected = np.full(3, 100.0)
    update = jax.jit(partial(update_ema, decay=0.7))
    for t, value in enumerate(values, 1):
        ema = update({"w": ema}, {"w": value}, iteration=jnp.asarray(t))["w"]
        d = min(0.7, t / (t + 9))
        expected = d * expected + (1 - d) * value
        np.testing.assert_allclose(ema, expected, rtol=1e-5)
    assert abs(ema).max() < 5
