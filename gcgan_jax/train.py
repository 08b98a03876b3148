"""The training loop: data, steps, figures, samples, checkpoints."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

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
    checkpoints = Checkpoints(workdir, config.checkpoints_to_keep)
    start = checkpoints.newest or 0
    if start:
        state = checkpoints.restore(state)
        say(f"resuming at iteration {start} of {config.num_iterations}")
    else:
        _say_parameters(state)
    log = Log(workdir, start, config.num_iterations)
    try:
        if start < config.num_iterations:
            state = _run(config, gan, state, start, images, devices, workdir, checkpoints, log)
        else:
            say(f"all {config.num_iterations} iterations are done: raise config.num_iterations")
    finally:
        checkpoints.close()
        log.close()
    return state


def _run(
    config: Config,
    gan: GAN,
    state: State,
    start: int,
    images: Images,
    devices: Sequence[jax.Device],
    workdir: Path,
    checkpoints: Checkpoints,
    log: Log,
) -> State:
    """The iterations from `start` to the end."""
    sampler = make_sampler(config, gan)
    figures = make_figures(config, gan, images, sampler)
    step = _compile(config, state, images, devices)
    if not start:
        log.hyperparameters({k: str(v) for k, v in flatten_dict(asdict(config), sep=".").items()})

    calls, seconds = 0, 0.0  # since the newest row of the log
    for iteration in range(start, config.num_iterations, config.iterations_per_call):
        began = time.perf_counter()
        state, metrics = step(state)
        metrics = jax.device_get(metrics)  # waits
        calls, seconds = calls + 1, seconds + time.perf_counter() - began
        _require_finite(metrics, iteration, checkpoints)

        first, done = iteration == 0, iteration + config.iterations_per_call
        last = done == config.num_iterations
        rows = [1] if first else []
        if (done % config.log_every == 0 or last) and done not in rows:
            rows.append(done)
        if rows:
            rate = {"iterations_per_second": calls * config.iterations_per_call / seconds}
            seen = figures(state)
            for row in rows:
                values = {name: float(each[row - iteration - 1]) for name, each in metrics.items()}
                log.figures(row, values | rate | seen)
            calls, seconds = 0, 0.0
        if done % config.sample_every == 0 or last:
            picture = image_grid(sampler(state, config.sample_images))
            write_png(workdir / "samples" / f"{done:07}.png", picture)
            log.picture(done, picture)
        if done % config.checkpoint_every == 0 or last:
            _require_finite_state(state, done, checkpoints)
            checkpoints.save(state, done)
    return state


def _compile(
    config: Config, state: State, images: Images, devices: Sequence[jax.Device]
) -> Callable[[State], tuple[State, Metrics]]:
    """The training step on the images, compiled ahead so that its time is not the iterations'."""
    on_devices = replicate(jnp.asarray(images.train), devices)
    numbers = jnp.arange(len(devices))
    say("compiling the training step")
    began = time.perf_counter()
    compiled = make_train_step(config, devices).lower(state, on_devices, numbers).compile()
    say(f"compiled in {time.perf_counter() - began:.0f} s")
    return lambda state: compiled(state, on_devices, numbers)


def _require_finite(metrics: Metrics, iteration: int, checkpoints: Checkpoints) -> None:
    for name, values in metrics.items():
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            raise _not_finite(f"{name} is {values[bad[0]]}", iteration + 1 + bad[0], checkpoints)


def _require_finite_state(state: State, iteration: int, checkpoints: Checkpoints) -> None:
    for path, leaf in jax.tree_util.tree_leaves_with_path(state):
        if not np.isfinite(leaf).all():
            name = jax.tree_util.keystr(path)
            raise _not_finite(f"state{name} is not finite", iteration, checkpoints)


def _not_finite(what: str, iteration: int, checkpoints: Checkpoints) -> UserError:
    kept = checkpoints.newest
    remains = f"the checkpoint of iteration {kept} remains" if kept else "no checkpoint was written"
    return UserError(f"stopped in iteration {iteration}: {what}; {remains}")


def _say_parameters(state: State) -> None:
    for name, player in {"generator": state.generator, "critic": state.critic}.items():
        overview = parameter_overview.get_parameter_overview(player.params, include_stats=False)
        say(f"{name}\n{overview}")
