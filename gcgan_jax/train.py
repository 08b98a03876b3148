"""The training loop: data, steps, figures, samples, checkpoints."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from clu import parameter_overview
from flax.traverse_util import flatten_dict

from gcgan_jax.checkpoint import Checkpoints
from gcgan_jax.config import Config
from gcgan_jax.data import Images, load_images
from gcgan_jax.draws import streams
from gcgan_jax.errors import UserError
from gcgan_jax.figures import make_figures, make_sampler
from gcgan_jax.gan import GAN, build_gan
from gcgan_jax.log import Log, say
from gcgan_jax.optimizer import make_direction
from gcgan_jax.pictures import image_grid, write_png
from gcgan_jax.state import State, init_state
from gcgan_jax.train_step import Metrics, check_batch, make_train_step, replicate
from gcgan_jax.workdir import open_workdir


class Run(NamedTuple):
    """What stays the same throughout a run."""

    config: Config
    gan: GAN
    images: Images
    devices: Sequence[jax.Device]
    workdir: Path
    checkpoints: Checkpoints
    log: Log


def train(config: Config, workdir: Path) -> State:
    """Trains to config.num_iterations and returns the last state; resumes what `workdir` holds.

    Raises:
        UserError: the config does not fit the devices, the data or the workdir; or a loss or
            parameter is not finite, the newest checkpoint then being the last good one.
    """
    devices = jax.local_devices()
    check_batch(config.batch_size, len(devices))
    images = load_images(config)
    open_workdir(workdir, config)
    say(f"devices: {', '.join(f'{device.device_kind} {device.id}' for device in devices)}")
    say(f"workdir: {workdir}")

    gan = build_gan(config)
    init = jax.jit(partial(init_state, gan, make_direction(config.optimizer)))
    state = replicate(init(streams(config.seed).parameters), devices)
    with closing(Checkpoints(workdir, config.checkpoints_to_keep)) as checkpoints:
        start = checkpoints.newest or 0
        with closing(Log(workdir, start, config.num_iterations)) as log:
            if start:
                state = checkpoints.restore(state)
                say(f"resuming at iteration {start} of {config.num_iterations}")
            else:
                _say_parameters(state)
                log.hyperparameters(flatten_dict(asdict(config), sep="."))
            if start >= config.num_iterations:
                say(f"all {start} iterations are done: raise --config.num_iterations to go on")
                return state
            return _iterate(
                Run(config, gan, images, devices, workdir, checkpoints, log), state, start
            )


def _iterate(run: Run, state: State, start: int) -> State:
    """The iterations from `start` to the end."""
    config = run.config
    sampler = make_sampler(config, run.gan)
    figures = make_figures(config, run.gan, run.images, sampler)
    step = _compile(run, state)

    calls, seconds = 0, 0.0  # since the newest row of the log
    for before in range(start, config.num_iterations, config.iterations_per_call):
        began = time.perf_counter()
        state, metrics = step(state)
        metrics = jax.device_get(metrics)  # waits
        calls, seconds = calls + 1, seconds + time.perf_counter() - began
        _require_finite_metrics(run, metrics, before)

        iteration = before + config.iterations_per_call
        last = iteration >= config.num_iterations
        rows = {1} if before == 0 else set()  # figures of a state are those after the call
        if last or iteration % config.log_every == 0:
            rows.add(iteration)
        if rows:
            rate = {"iterations_per_second": calls * config.iterations_per_call / seconds}
            seen = rate | figures(state)
            for row in sorted(rows):
                own = {name: float(values[row - before - 1]) for name, values in metrics.items()}
                run.log.figures(row, own | seen)
            calls, seconds = 0, 0.0
        if last or iteration % config.sample_every == 0:
            picture = image_grid(sampler(state, config.sample_images))
            write_png(run.workdir / "samples" / f"{iteration:07}.png", picture)
            run.log.picture(iteration, picture)
        if last or iteration % config.checkpoint_every == 0:
            _require_finite_state(run, state, iteration)
            run.checkpoints.save(state, iteration)
    return state


def _compile(run: Run, state: State) -> Callable[[State], tuple[State, Metrics]]:
    """The training step on the images, compiled ahead so that its time is not the iterations'."""
    images = replicate(jnp.asarray(run.images.train), run.devices)
    numbers = jnp.arange(len(run.devices))
    say("compiling the training step")
    began = time.perf_counter()
    compiled = make_train_step(run.config, run.devices).lower(state, images, numbers).compile()
    say(f"compiled in {time.perf_counter() - began:.0f} s")
    return lambda state: compiled(state, images, numbers)


def _require_finite_metrics(run: Run, metrics: Metrics, before: int) -> None:
    for name, values in metrics.items():
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            raise _not_finite(run, f"{name} is {values[bad[0]]}", before + 1 + bad[0])


def _require_finite_state(run: Run, state: State, iteration: int) -> None:
    for path, leaf in jax.tree_util.tree_leaves_with_path(state):
        if not np.isfinite(leaf).all():
            name = jax.tree_util.keystr(path)
            raise _not_finite(run, f"state{name} is not finite", iteration)


def _not_finite(run: Run, what: str, iteration: int) -> UserError:
    kept = run.checkpoints.newest
    remains = f"the checkpoint of iteration {kept} remains" if kept else "no checkpoint was written"
    return UserError(f"stopped in iteration {iteration}: {what}; {remains}")


def _say_parameters(state: State) -> None:
    for name, player in {"generator": state.generator, "critic": state.critic}.items():
        overview = parameter_overview.get_parameter_overview(player.params, include_stats=False)
        say(f"{name}\n{overview}")
