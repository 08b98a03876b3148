"""The program with a fault: `python -m tests.reliability.injected FAULT --config=… --workdir=…`.

FAULT is `nan:N` (NaN in the losses of iteration N), `inf:N` (infinite generator gradients of a
finite loss in iteration N), `clock:S` (a clock that is S seconds behind) or `late:S` (compilation
takes S seconds longer).
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from absl import app
from jax import Array, lax

from gcgan_jax import cli
from gcgan_jax.experiment import Experiment
from gcgan_jax.gan.losses.loss import Loss, Metrics
from gcgan_jax.gan.penalties import Critic
from gcgan_jax.gan.step import Step
from gcgan_jax.main import main

Alter = Callable[[Experiment], Experiment]


@dataclass(frozen=True)
class NaNLoss:
    """A loss whose critic terms are all NaN in one iteration.

    Attributes:
        loss: the original loss.
        iteration: counted from 1.
    """

    loss: Loss
    iteration: int

    def critic_loss(
        self, critic: Critic, real: Array, fake: Array, keys: Array, iteration: Array
    ) -> tuple[Array, Metrics]:
        loss, metrics = self.loss.critic_loss(critic, real, fake, keys, iteration)
        factor = jnp.where(iteration + 1 == self.iteration, jnp.nan, 1)
        return loss * factor, {name: value * factor for name, value in metrics.items()}

    def generator_loss(self, *arguments: Any) -> Array:
        return self.loss.generator_loss(*arguments)

    def project(self, critic_params: Any) -> Any:
        return self.loss.project(critic_params)


@dataclass(frozen=True)
class SteepLoss:
    """A loss whose generator gradient is infinite in one iteration, with an unchanged value.

    Attributes:
        loss: the original loss.
        iteration: counted from 1.
    """

    loss: Loss
    iteration: int

    def critic_loss(self, *arguments: Any) -> tuple[Array, Metrics]:
        return self.loss.critic_loss(*arguments)

    def generator_loss(
        self, critic: Critic, real: Array, fake: Array, keys: Array, iteration: Array
    ) -> Array:
        loss = self.loss.generator_loss(critic, real, fake, keys, iteration)
        factor = jnp.where(iteration + 1 == self.iteration, 1e38, 0)
        return loss + (loss - lax.stop_gradient(loss)) * factor  # adds 0

    def project(self, critic_params: Any) -> Any:
        return self.loss.project(critic_params)


@dataclass(frozen=True)
class LateExperiment(Experiment):
    """An experiment whose training step takes longer to build."""

    seconds: int

    def train_step(self, devices: Sequence[jax.Device]) -> Step:
        time.sleep(self.seconds)
        return super().train_step(devices)


def nan(iteration: int) -> Alter:
    return partial(with_loss, lambda loss: NaNLoss(loss, iteration))


def inf(iteration: int) -> Alter:
    return partial(with_loss, lambda loss: SteepLoss(loss, iteration))


def with_loss(wrap: Callable[[Loss], Loss], experiment: Experiment) -> Experiment:
    algorithm = experiment.algorithm
    return replace(experiment, algorithm=replace(algorithm, loss=wrap(algorithm.loss)))


def late(seconds: int) -> Alter:
    def alter(experiment: Experiment) -> Experiment:
        values = {field.name: getattr(experiment, field.name) for field in fields(experiment)}
        return LateExperiment(**values, seconds=seconds)

    return alter


def clock(seconds: int) -> Alter:
    now, now_ns = time.time, time.time_ns
    time.time = lambda: now() - seconds
    time.time_ns = lambda: now_ns() - seconds * 10**9
    return lambda experiment: experiment


FAULTS = {"nan": nan, "inf": inf, "clock": clock, "late": late}

if __name__ == "__main__":
    name, _, number = sys.argv.pop(1).partition(":")
    app.run(partial(main, alter=FAULTS[name](int(number))), flags_parser=cli.parse_flags)
