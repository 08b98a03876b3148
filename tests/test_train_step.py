"""One training step on one to eight devices, in float64 where rounding would hide a mistake."""

import functools
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from gcgan_jax import train_step
from gcgan_jax.config import Config
from gcgan_jax.data import make_twins
from gcgan_jax.devices import number, replicate
from gcgan_jax.draws import draw_latents, streams, update_key
from gcgan_jax.errors import UserError
from gcgan_jax.gan import build_gan
from gcgan_jax.optimizer import make_direction
from gcgan_jax.state import State, init_state


def start(config: Config) -> State:
    averaged = config.ema_decay > 0
    init = partial(
        init_state, build_gan(config), make_direction(config.optimizer), averaged=averaged
    )
    return jax.jit(init)(streams(config.seed).parameters)


def run(config: Config, devices: int, calls: int = 1) -> tuple[State, dict[str, np.ndarray]]:
    """The state after so many calls, and the metrics of the last."""
    chosen = jax.devices()[:devices]
    step = train_step.make_train_step(config, chosen)
    images = replicate(make_twins(config).train, chosen)
    state = replicate(start(config), chosen)
    for _ in range(calls):
        state, metrics = step(state, images, number(chosen))
        metrics = jax.device_get(metrics)
    return jax.device_get(state), metrics


def three_iterations(tiny: Callable[..., Config], **changes: Any) -> Config:
    every = dict.fromkeys(("log_every", "sample_every", "checkpoint_every"), 3)
    whole = {"batch_size": 8, "iterations_per_call": 3, "num_iterations": 3}
    return tiny(**whole | every | changes)


def updates(config: Config, devices: int, calls: int = 1) -> np.ndarray:
    """What the calls add to all parameters, in float64."""
    with jax.enable_x64(True):
        before, (after, _) = jax.device_get(start(config)), run(config, devices, calls)
    moved = jax.tree.map(
        lambda a, b: (b - a).ravel(),
        (before.generator.params, before.critic.params),
        (after.generator.params, after.critic.params),
    )
    flat = np.concatenate(jax.tree.leaves(moved))
    assert flat.dtype == np.float64
    return flat


on_one_device = functools.cache(partial(updates, devices=1))


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b) / np.linalg.norm(a))


@pytest.mark.parametrize("devices", [2, 4, 8])
@pytest.mark.parametrize("non_local", ["edge_conv", "ecc"])
def test_devices_do_what_one_does(
    tiny: Callable[..., Config], non_local: str, devices: int
) -> None:
    config = three_iterations(tiny, generator__non_local=non_local)
    assert difference(on_one_device(config), updates(config, devices)) < 1e-9


@pytest.mark.parametrize("left_out", ["averaged gradients", "averaged statistics"])
def test_two_devices_differ_without(
    tiny: Callable[..., Config], monkeypatch: pytest.MonkeyPatch, left_out: str
) -> None:
    config = three_iterations(tiny, generator__non_local="ecc")
    one = on_one_device(config)  # before anything is left out
    if left_out == "averaged gradients":
        own = SimpleNamespace(**{**vars(lax), "pmean": lambda values, axis: values})
        monkeypatch.setattr(train_step, "lax", own)
    else:
        monkeypatch.setattr(train_step, "build_gan", lambda config, axis: build_gan(config))
    assert difference(one, updates(config, 2)) > 1e-4


def test_iterations_in_one_call_are_those_of_three_calls(tiny: Callable[..., Config]) -> None:
    config = three_iterations(tiny, generator__non_local="ecc")
    apart = three_iterations(tiny, generator__non_local="ecc", iterations_per_call=1)
    assert difference(on_one_device(config), updates(apart, 1, calls=3)) < 1e-9


def test_critic_updates_leave_the_generator_alone(
    tiny: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny()
    before = jax.device_get(start(config))
    monkeypatch.setattr(train_step, "generator_loss", lambda critic, fake: 0 * jnp.sum(fake))
    after, metrics = run(config, 1)
    assert all(values.shape == (1,) for values in metrics.values())
    jax.tree.map(np.testing.assert_array_equal, before.generator.params, after.generator.params)
    moved = jax.tree.map(
        lambda a, b: np.abs(a - b).max(), before.critic.params, after.critic.params
    )
    moved["dense"].pop("bias")  # drops out of E[D(fake)] - E[D(real)]
    assert min(jax.tree.leaves(moved)) > 0

    gan = build_gan(config)  # the running averages moved once, by the generator's own latents
    key = update_key(streams(config.seed).training, 0, config.n_critic)
    z = draw_latents(key, jnp.arange(config.batch_size), gan.latent_size)
    variables = {"params": before.generator.params, "batch_stats": before.batch_stats}
    _, once = gan.generator.apply(variables, z, train=True, mutable=["batch_stats"])
    jax.tree.map(
        partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6),
        once["batch_stats"],
        after.batch_stats,
    )


def test_batch_that_does_not_divide_is_refused(tiny: Callable[..., Config]) -> None:
    with pytest.raises(UserError, match=r"batch_size = 3 does not divide by the 2 devices"):
        train_step.make_train_step(tiny(batch_size=3), jax.devices()[:2])


def test_average_is_of_the_generator_after_each_iteration(tiny: Callable[..., Config]) -> None:
    config = tiny(ema_decay=0.3)
    states = [run(config, 1, calls)[0] for calls in (1, 2, 3)]
    expected = jax.device_get(start(config)).generator_variables
    for t, state in enumerate(states, 1):
        d = min(0.3, t / (t + 9))
        expected = jax.tree.map(
            lambda a, v, d=d: d * a + (1 - d) * v, expected, state.generator_variables
        )
        jax.tree.map(
            partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6), state.average, expected
        )
    assert start(tiny()).average == {}
