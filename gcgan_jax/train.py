"""The training loop: data, steps, figures, samples, checkpoints."""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from clu import parameter_overview

from gcgan_jax.config import Config
from gcgan_jax.data import Images, load_images
from gcgan_jax.devices import number, own_copy, replicate
from gcgan_jax.draws import streams
from gcgan_jax.errors import NotFiniteError
from gcgan_jax.gan import build_gan
from gcgan_jax.hosts import all_devices, from_first, is_first, on_all, others_needed, require_same
from gcgan_jax.log import say
from gcgan_jax.memory import give_back
from gcgan_jax.optimizer import make_direction
from gcgan_jax.profiler import Profiler
from gcgan_jax.records import Records, open_records
from gcgan_jax.state import State, init_state
from gcgan_jax.stopping import Stop, StoppedError
from gcgan_jax.train_step import Metrics, check_batch, make_train_step


class Run(NamedTuple):
    """What stays the same throughout a run."""

    config: Config
    workdir: Path
    images: Images
    devices: Sequence[jax.Device]
    profiler: Profiler
    records: Records | None  # of the first process alone
    stop: Stop


def train(
    config: Config,
    workdir: Path,
    stop: Stop | None = None,
    devices: Sequence[jax.Device] | None = None,
) -> State:
    """Trains to config.num_iterations and returns the last state; resumes what `workdir` holds.

    In several processes, all call it; only the first one's `workdir` is used.

    Args:
        devices: of all processes, in the same order in each; None: all there are.

    Raises:
        StoppedError: `stop` was asked for; the state has been saved.
        UserError: the config does not fit the devices, the data or the workdir; or a loss or
            parameter is not finite, the newest checkpoint then being the last good one; or
            another process failed or has another config.
    """
    devices = devices or all_devices()
    check_batch(config.batch_size, len(devices))
    require_same("config", replace(config, data=replace(config.data, dir="")))
    images = on_all(partial(load_images, config))
    gan = build_gan(config)
    with ExitStack() as opened:
        records = on_all(
            lambda: (
                opened.enter_context(open_records(config, gan, images, workdir))
                if is_first()
                else None
            )
        )
        say(f"devices: {', '.join(f'{device.device_kind} {device.id}' for device in devices)}")
        say(f"workdir: {workdir}")

        init = jax.jit(
            partial(
                init_state, gan, make_direction(config.optimizer), averaged=config.ema_decay > 0
            )
        )
        fresh = jax.device_get(init(streams(config.seed).parameters))
        state = from_first(on_all(lambda: records.start(fresh) if records else fresh))
        start = int(state.iteration)
        if start:
            say(f"resuming at iteration {start} of {config.num_iterations}")
        else:
            _say_parameters(state)
        state = replicate(state, devices)
        if start < config.num_iterations:
            profiler = Profiler(config, workdir)
            run = Run(config, workdir, images, devices, profiler, records, stop or Stop())
            try:
                state = _iterate(run, state, start)
            except NotFiniteError as error:
                if records:
                    records.note_failure(str(error))
                raise
        else:
            say(f"all {start} iterations are done: raise --config.num_iterations to go on")
        on_all(opened.close)
    return state


def _iterate(run: Run, state: State, start: int) -> State:
    """The iterations from `start` to the end."""
    config, records = run.config, run.records
    # Gloo has the processes of a first step wait for each other no longer than 30 s
    step = on_all(partial(_compile, run, state))
    give_back()  # what compiling has freed

    run.stop.heeded = True
    kept = start  # iteration of the newest checkpoint
    calls, seconds = 0, 0.0  # since the newest row of the log
    started, busy = time.perf_counter(), 0.0
    for before in range(start, config.num_iterations, config.iterations_per_call):
        iteration = before + config.iterations_per_call
        began = time.perf_counter()
        with others_needed(), run.profiler.call(before, iteration):
            state, metrics = step(state)
            metrics = jax.device_get(metrics)  # waits
        took = time.perf_counter() - began
        calls, seconds, busy = calls + 1, seconds + took, busy + took
        _require_finite_metrics(metrics, before, kept)

        last = iteration >= config.num_iterations
        rows = {1} if before == 0 else set()  # figures of a state are those after the call
        scored = config.eval_every and (last or iteration % config.eval_every == 0)
        if last or scored or iteration % config.log_every == 0:
            rows.add(iteration)
        if rows:
            rate = calls * config.iterations_per_call / seconds
            if records:
                own = {row: _values(metrics, row - before - 1) for row in sorted(rows)}
                if scored and records.scoring:
                    own[iteration] |= records.scoring.score(own_copy(state), run.stop)
                records.rows(own, rate, own_copy(state))
            calls, seconds = 0, 0.0
        if records and (last or iteration % config.sample_every == 0):
            records.sample(iteration, own_copy(state))
        stopped = run.stop.number
        if last or stopped or iteration % config.checkpoint_every == 0:
            _require_finite_state(own_copy(state), iteration, kept)
            if records:
                records.save(own_copy(state), iteration)
            kept = iteration
        if stopped and not last:
            raise StoppedError(stopped, f"saved iteration {iteration} in {run.workdir}")
    passed = time.perf_counter() - started
    say(f"{passed:.0f} s, of which {busy / passed:.1%} in the compiled step")
    return state


def _compile(run: Run, state: State) -> Callable[[State], tuple[State, Metrics]]:
    """The training step on the images.

    It, and what looks at a state, is compiled ahead so that its time is not the iterations'.
    """
    images = replicate(run.images.train.reshape(len(run.images.train), -1), run.devices)
    numbers = number(run.devices)
    say("compiling the training step")
    began = time.perf_counter()
    compiled = make_train_step(run.config, run.devices).lower(state, images, numbers).compile()
    say(f"compiled in {time.perf_counter() - began:.0f} s")
    if run.records:
        run.records.compile(own_copy(state))
    return lambda state: compiled(state, images, numbers)


def _values(metrics: Metrics, index: int) -> dict[str, float]:
    return {name: float(values[index]) for name, values in metrics.items()}


def _require_finite_metrics(metrics: Metrics, before: int, kept: int) -> None:
    for index in range(len(next(iter(metrics.values())))):
        for name, value in _values(metrics, index).items():
            if not math.isfinite(value):
                raise _not_finite(f"{name} is {value}", before + 1 + index, kept)


def _require_finite_state(state: State, iteration: int, kept: int) -> None:
    for path, leaf in jax.tree_util.tree_leaves_with_path(state):
        if not np.isfinite(leaf).all():
            name = jax.tree_util.keystr(path)
            raise _not_finite(f"state{name} is not finite", iteration, kept)


def _not_finite(what: str, iteration: int, kept: int) -> NotFiniteError:
    remains = f"the checkpoint of iteration {kept} remains" if kept else "no checkpoint was written"
    return NotFiniteError(f"stopped in iteration {iteration}: {what}; {remains}")


def _say_parameters(state: State) -> None:
    for name, player in {"generator": state.generator, "critic": state.critic}.items():
        overview = parameter_overview.get_parameter_overview(player.params, include_stats=False)
        say(f"{name}\n{overview}")
