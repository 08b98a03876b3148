"""The program with a fault in it: `python -m scripts.injected FAULT --config=… --workdir=…`.

FAULT is `nan:N` (a NaN in the losses of iteration N), `inf:N` (infinite gradients of the generator
in iteration N, of a finite loss), `clock:S` (a clock that is S seconds behind) or `late:S` (a
compilation that takes S seconds longer).
"""

import sys
import time
from typing import Any

import jax.numpy as jnp
from absl import app
from jax import lax

from gcgan_jax import command_line, train, train_step
from gcgan_jax.main import main

_critic_loss, _generator_loss = train_step.critic_loss, train_step.generator_loss
_train_iteration = train_step.train_iteration


def nan(iteration: int) -> None:
    def poisoned(*args: Any, **named: Any) -> Any:
        state = args[3]
        factor = jnp.where(state.iteration + 1 == iteration, jnp.nan, 1)

        def critic_loss(*args: Any, **named: Any) -> Any:
            loss, metrics = _critic_loss(*args, **named)
            return loss * factor, {name: value * factor for name, value in metrics.items()}

        train_step.critic_loss = critic_loss
        return _train_iteration(*args, **named)

    train_step.train_iteration = poisoned


def inf(iteration: int) -> None:
    def poisoned(*args: Any, **named: Any) -> Any:
        state = args[3]
        factor = jnp.where(state.iteration + 1 == iteration, 1e38, 0)

        def generator_loss(*args: Any) -> Any:
            loss = _generator_loss(*args)
            return loss + (loss - lax.stop_gradient(loss)) * factor  # a value of 0

        train_step.generator_loss = generator_loss
        return _train_iteration(*args, **named)

    train_step.train_iteration = poisoned


def clock(seconds: int) -> None:
    now, now_ns = time.time, time.time_ns
    time.time = lambda: now() - seconds
    time.time_ns = lambda: now_ns() - seconds * 10**9


def late(seconds: int) -> None:
    make_train_step = train.make_train_step

    def slowly(*args: Any) -> Any:
        time.sleep(seconds)
        return make_train_step(*args)

    train.make_train_step = slowly


FAULTS = {"nan": nan, "inf": inf, "clock": clock, "late": late}

if __name__ == "__main__":
    name, _, number = sys.argv.pop(1).partition(":")
    FAULTS[name](int(number))
    app.run(main, flags_parser=command_line.parse_flags)
