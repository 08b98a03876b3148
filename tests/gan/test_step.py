"""One training step on one to eight devices, in float64 where rounding would hide a mistake."""

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
from gcgan_jax.gan.losses import Critic, Loss, Metrics
from gcgan_jax.gan.rng import draw_latents, update_key
from gcgan_jax.gan.state import State
from gcgan_jax.runtime.devices import AXIS, device_indices, replicate
from tests.conftest import Tiny


def states(
    experiment: Experiment, devices: int, calls: int
) -> Iterator[tuple[State, dict[str, np.ndarray]]]:
    """The state and the metrics after each of so many calls."""
    chosen = jax.devices()[:devices]
    step = experiment.train_step(chosen)
    train = experiment.load_images().train
    images = replicate(train.reshape(len(train), -1), chosen)
    state = replicate(experiment.init_state(), chosen)
    for _ in range(calls):
        state, metrics = step(state, images, device_indices(chosen))
        yield jax.device_get((state, metrics))


def run(
    experiment: Experiment, devices: int, calls: int = 1
) -> tuple[State, dict[str, np.ndarray]]:
    """The state after so many calls, and the metrics of the last."""
    *_, last = states(experiment, devices, calls)
    return last


def three_iterations(tiny: Tiny, **changes: Any) -> Experiment:
    """With a graph layer in the critic as well as in the generator."""
    critic = {
        "critic__graph_layer__operator__name": "edge_conv",
        "critic__graph_layer__graph__knn__k": 3,
    }
    every = dict.fromkeys(("log_every", "sample_every", "checkpoint_every"), 3)
    whole = {"batch_size": 8, "iterations_per_call": 3, "num_iterations": 3}
    return tiny(**whole | every | critic | changes)


def updates(experiment: Experiment, devices: int, calls: int = 1) -> np.ndarray:
    """What the calls add to all parameters, in float64."""
    with jax.enable_x64(True):
        before, (after, _) = experiment.init_state(), run(experiment, devices, calls)
    moved = jax.tree.map(
        lambda a, b: (b - a).ravel(),
        (before.generator.params, before.critic.params),
        (after.generator.params, after.critic.params),
    )
    flat = np.concatenate(jax.tree.leaves(moved))
    assert flat.dtype == np.float64
    return flat


@pytest.fixture(scope="module")
def on_one_device() -> Callable[[Experiment], np.ndarray]:
    """Updates of three iterations on one device, computed once for each operator."""
    known: dict[str, np.ndarray] = {}

    def found(experiment: Experiment) -> np.ndarray:
        operator = experiment.config.generator.graph_layer.operator.name
        if operator not in known:
            known[operator] = updates(experiment, devices=1)
        return known[operator]

    return found


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b) / np.linalg.norm(a))


@pytest.mark.parametrize(
    ("operator", "devices"),
    [("ecc", 2), ("ecc", 4)],
)
def test_devices_do_what_one_does(
    tiny: Tiny, on_one_device: Callable, operator: str, devices: int
) -> None:
    experiment = three_iterations(tiny, operator=operator)
    assert difference(on_one_device(experiment), updates(experiment, devices)) < 1e-9


class Unsynchronised(nn.Module):
    """A generator that normalises by the statistics of each device alone."""

    generator: nn.Module

    def __call__(self, z: Array, keys: Array, *, train: bool, axis_name: str | None = None) -> Any:
        return self.generator(z, keys, train=train)


@dataclass(frozen=True)
class OfOneDevice:
    """A loss whose mean gradient over devices is that of the first device."""

    loss: Loss

    def critic_loss(self, *arguments: Any) -> tuple[Array, Metrics]:
        loss, metrics = self.loss.critic_loss(*arguments)
        return self._alone(loss), metrics

    def generator_loss(self, *arguments: Any) -> Array:
        return self._alone(self.loss.generator_loss(*arguments))

    def project(self, critic_params: Any) -> Any:
        return critic_params

    def _alone(self, loss: Array) -> Array:
        return loss * jnp.where(lax.axis_index(AXIS) == 0, lax.axis_size(AXIS), 0)


@pytest.mark.parametrize("left_out", ["averaged gradients", "averaged statistics"])
def test_two_devices_differ_without(tiny: Tiny, on_one_device: Callable, left_out: str) -> None:
    experiment = three_iterations(tiny, operator="ecc")
    algorithm = experiment.algorithm
    if left_out == "averaged gradients":
        other = replace(algorithm, loss=OfOneDevice(algorithm.loss))
    else:
        alone = Unsynchronised(algorithm.gan.generator)
        other = replace(algorithm, gan=replace(algorithm.gan, generator=alone))
    altered = replace(experiment, algorithm=other)
    one = on_one_device(experiment)  # of which nothing is left out
    assert difference(one, updates(altered, 2)) > 1e-4


def test_iterations_in_one_call_are_those_of_three_calls(
    tiny: Tiny, on_one_device: Callable
) -> None:
    experiment = three_iterations(tiny, operator="ecc")
    apart = three_iterations(tiny, operator="ecc", iterations_per_call=1)
    assert difference(on_one_device(experiment), updates(apart, 1, calls=3)) < 1e-9


@dataclass(frozen=True)
class Indifferent:
    """A loss that gives the generator no gradient, and clips the critic's parameters to +-c."""

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
    indifferent = replace(algorithm, loss=Indifferent(algorithm.loss, c=0.1))
    after, metrics = run(replace(experiment, algorithm=indifferent), 1)
    assert all(values.shape == (1,) for values in metrics.values())
    jax.tree.map(np.testing.assert_array_equal, before.generator.params, after.generator.params)
    moved = jax.tree.map(
        lambda a, b: np.abs(a - b).max(), before.critic.params, after.critic.params
    )
    moved["dense"].pop("bias")  # drops out of E[D(fake)] - E[D(real)]
    assert min(jax.tree.leaves(moved)) > 0
    largest, clipped = (
        max(np.abs(leaf).max() for leaf in jax.tree.leaves(state.critic.params))
        for state in (before, after)
    )
    assert largest > clipped == np.float32(0.1)

    # The running averages moved once, by the generator's own latents.
    gan, config = experiment.gan, experiment.config
    key = update_key(experiment.keys.training, 0, config.n_critic)
    latents = draw_latents(key, jnp.arange(config.batch_size), gan.latent_size)
    _, once = gan.generate(before.generator.variables, latents)
    jax.tree.map(
        partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6), once, after.generator.batch_stats
    )


def test_batch_that_does_not_divide_is_refused(tiny: Tiny) -> None:
    with pytest.raises(UserError, match=r"batch_size = 3 does not divide by the 2 devices"):
        tiny(batch_size=3).train_step(jax.devices()[:2])


def test_ema_is_of_the_generator_after_each_iteration(tiny: Tiny) -> None:
    experiment = tiny(ema_decay=0.3)
    expected = experiment.init_state().generator.variables
    for t, (state, _) in enumerate(states(experiment, 1, calls=3), 1):
        d = min(0.3, t / (t + 9))
        expected = jax.tree.map(
            lambda a, v, d=d: d * a + (1 - d) * v, expected, state.generator.variables
        )
        jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6), state.ema, expected)
    assert tiny().init_state().ema == {}
