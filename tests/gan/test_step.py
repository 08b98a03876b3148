"""The training step on one to four devices, in float64 where rounding would hide an error."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array, lax

from gcgan_jax.errors import UserError
from gcgan_jax.experiment import Experiment
from gcgan_jax.gan.losses.loss import Loss, Metrics
from gcgan_jax.gan.penalties import Critic
from gcgan_jax.gan.rng import draw_latents, update_key
from gcgan_jax.gan.state import State
from gcgan_jax.runtime.devices import AXIS, device_indices, replicate
from tests.conftest import Tiny


def states(
    experiment: Experiment, devices: int, calls: int
) -> Iterator[tuple[State, dict[str, np.ndarray]]]:
    """Yield state and metrics after each call of the step."""
    used = jax.devices()[:devices]
    step = experiment.train_step(used)
    train = experiment.load_images().train
    images = replicate(train.reshape(len(train), -1), used)
    state = replicate(experiment.init_state(), used)
    for _ in range(calls):
        state, metrics = step(state, images, device_indices(used))
        yield jax.device_get((state, metrics))


def run(
    experiment: Experiment, devices: int, calls: int = 1
) -> tuple[State, dict[str, np.ndarray]]:
    """Return state and metrics after the last call."""
    *_, last = states(experiment, devices, calls)
    return last


def three_iterations(tiny: Tiny, **changes: Any) -> Experiment:
    """An experiment with a graph layer in both networks."""
    critic = {
        "critic__graph_layer__operator__name": "edge_conv",
        "critic__graph_layer__graph__knn__k": 3,
    }
    periods = dict.fromkeys(("log_every", "sample_every", "checkpoint_every"), 3)
    training = {"batch_size": 8, "iterations_per_call": 3, "num_iterations": 3}
    return tiny(**training | periods | critic | changes)


def updates(experiment: Experiment, devices: int, calls: int = 1) -> np.ndarray:
    """Return the total update of all parameters, flat and in float64."""
    with jax.enable_x64(True):
        before, (after, _) = experiment.init_state(), run(experiment, devices, calls)
    deltas = jax.tree.map(
        lambda a, b: (b - a).ravel(),
        (before.generator.params, before.critic.params),
        (after.generator.params, after.critic.params),
    )
    flat = np.concatenate(jax.tree.leaves(deltas))
    assert flat.dtype == np.float64
    return flat


@pytest.fixture(scope="module")
def on_one_device() -> Callable[[Experiment], np.ndarray]:
    """Updates of three iterations on one device, computed once per operator."""
    cached: dict[str, np.ndarray] = {}

    def cached_updates(experiment: Experiment) -> np.ndarray:
        operator = experiment.config.generator.graph_layer.operator.name
        if operator not in cached:
            cached[operator] = updates(experiment, devices=1)
        return cached[operator]

    return cached_updates


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b) / np.linalg.norm(a))


@pytest.mark.parametrize("devices", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_several_devices_match_one(tiny: Tiny, on_one_device: Callable, devices: int) -> None:
    experiment = three_iterations(tiny, operator="ecc")
    assert difference(on_one_device(experiment), updates(experiment, devices)) < 1e-9


class Unsynchronised(nn.Module):
    """A generator whose normalisation uses the statistics of each device separately."""

    generator: nn.Module

    def __call__(self, z: Array, keys: Array, *, train: bool, axis_name: str | None = None) -> Any:
        return self.generator(z, keys, train=train)


@dataclass(frozen=True)
class FirstDeviceLoss:
    """A loss whose mean gradient over devices is that of the first device."""

    loss: Loss

    def critic_loss(self, *arguments: Any) -> tuple[Array, Metrics]:
        loss, metrics = self.loss.critic_loss(*arguments)
        return self._mask(loss), metrics

    def generator_loss(self, *arguments: Any) -> Array:
        return self._mask(self.loss.generator_loss(*arguments))

    def project(self, critic_params: Any) -> Any:
        return critic_params

    def _mask(self, loss: Array) -> Array:
        return loss * jnp.where(lax.axis_index(AXIS) == 0, lax.axis_size(AXIS), 0)


@pytest.mark.parametrize(
    "omitted",
    ["averaged gradients", pytest.param("averaged statistics", marks=pytest.mark.slow)],
)
def test_two_devices_need_synchronisation(
    tiny: Tiny, on_one_device: Callable, omitted: str
) -> None:
    experiment = three_iterations(tiny, operator="ecc")
    algorithm = experiment.algorithm
    if omitted == "averaged gradients":
        altered = replace(algorithm, loss=FirstDeviceLoss(algorithm.loss))
    else:
        generator = Unsynchronised(algorithm.gan.generator)
        altered = replace(algorithm, gan=replace(algorithm.gan, generator=generator))
    unsynchronised = updates(replace(experiment, algorithm=altered), 2)
    assert difference(on_one_device(experiment), unsynchronised) > 1e-4


@pytest.mark.slow
def test_one_call_of_three_iterations_matches_three_calls(
    tiny: Tiny, on_one_device: Callable
) -> None:
    one_call = three_iterations(tiny, operator="ecc")
    three_calls = three_iterations(tiny, operator="ecc", iterations_per_call=1)
    assert difference(on_one_device(one_call), updates(three_calls, 1, calls=3)) < 1e-9


@dataclass(frozen=True)
class CriticOnlyLoss:
    """A loss that gives the generator no gradient and clips the critic's parameters to +-c."""

    loss: Loss
    c: float

    def critic_loss(self, *arguments: Any) -> tuple[Array, Metrics]:
        return self.loss.critic_loss(*arguments)

    def generator_loss(self, critic: Critic, real: Array, fake: Array, *_: Array) -> Array:
        return 0 * jnp.sum(fake)

    def project(self, critic_params: Any) -> Any:
        return jax.tree.map(lambda leaf: jnp.clip(leaf, -self.c, self.c), critic_params)


def test_critic_updates_leave_the_generator_alone(tiny: Tiny) -> None:
    experiment = tiny()
    algorithm = experiment.algorithm
    before = experiment.init_state()
    critic_only = replace(algorithm, loss=CriticOnlyLoss(algorithm.loss, c=0.1))
    after, metrics = run(replace(experiment, algorithm=critic_only), 1)
    assert all(values.shape == (1,) for values in metrics.values())
    jax.tree.map(np.testing.assert_array_equal, before.generator.params, after.generator.params)
    changes = jax.tree.map(
        lambda a, b: np.abs(a - b).max(), before.critic.params, after.critic.params
    )
    changes["dense"].pop("bias")  # cancels in E[D(fake)] - E[D(real)]
    assert min(jax.tree.leaves(changes)) > 0
    largest, clipped = (
        max(np.abs(leaf).max() for leaf in jax.tree.leaves(state.critic.params))
        for state in (before, after)
    )
    assert largest > clipped == np.float32(0.1)

    # The running averages were updated once, on the latents of the generator update.
    gan, config = experiment.gan, experiment.config
    key = update_key(experiment.keys.training, 0, config.n_critic)
    latents = draw_latents(key, jnp.arange(config.batch_size), gan.latent_size)
    _, expected = jax.jit(gan.generate)(before.generator.variables, latents)
    jax.tree.map(
        partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6),
        after.generator.batch_stats,
        expected,
    )


def test_indivisible_batch_is_rejected(tiny: Tiny) -> None:
    with pytest.raises(UserError, match=r"batch_size = 3 is not divisible by the 2 devices"):
        tiny(batch_size=3).train_step(jax.devices()[:2])


def test_ema_follows_the_generator_after_each_iteration(tiny: Tiny) -> None:
    experiment = tiny(ema_decay=0.3)
    expected = experiment.init_state().generator.variables
    for t, (state, _) in enumerate(states(experiment, 1, calls=3), 1):
        d = min(0.3, t / (t + 9))
        expected = jax.tree.map(
            lambda a, v, d=d: d * a + (1 - d) * v, expected, state.generator.variables
        )
        jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6), state.ema, expected)
    assert tiny().init_state().ema == {}
