"""The training loop: load images, run the step, record what is due."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
from clu import parameter_overview
from flax.traverse_util import flatten_dict

from gcgan_jax.config.compatibility import DATA_PATHS, require_compatible
from gcgan_jax.data.images import Images
from gcgan_jax.errors import NotFiniteError
from gcgan_jax.evaluation.results import SCORES
from gcgan_jax.experiment import Experiment
from gcgan_jax.experiment.placement import make_feed, require_room
from gcgan_jax.gan.losses.loss import Metrics
from gcgan_jax.gan.state import State
from gcgan_jax.gan.step import check_batch
from gcgan_jax.runtime.console import report
from gcgan_jax.runtime.devices import device_indices, local_copy, replicate
from gcgan_jax.runtime.distributed import (
    all_devices,
    broadcast,
    collective,
    is_main_process,
    on_every_process,
    require_same,
)
from gcgan_jax.runtime.known_defects import avoidable_defects
from gcgan_jax.runtime.malloc import release_freed_memory
from gcgan_jax.runtime.preemption import Stop, StoppedError
from gcgan_jax.runtime.profiler import Profiler
from gcgan_jax.runtime.shared_stop import StopPoll
from gcgan_jax.storage.atomic import remove_leftovers
from gcgan_jax.storage.checkpoints import Checkpoints
from gcgan_jax.storage.in_place import InPlace
from gcgan_jax.storage.lock import locked
from gcgan_jax.storage.metrics_log import MetricsLog
from gcgan_jax.storage.quarantine import quarantine_unusable, remove_unfinished, require_no_remains
from gcgan_jax.storage.workdir import holds_run, read_settings, write_settings
from gcgan_jax.training.console_log import ConsoleLog
from gcgan_jax.training.finite import require_finite_metrics, require_finite_state
from gcgan_jax.training.recorder import (
    Periods,
    Recorder,
    Scoring,
    WorkdirRecorder,
    due,
)
from gcgan_jax.training.timer import StepTimer


@dataclass(frozen=True)
class Run:
    """What stays the same throughout a run."""

    experiment: Experiment
    workdir: Path
    images: Images
    devices: Sequence[jax.Device]
    recorder: Recorder
    stop: Stop


def train(
    experiment: Experiment,
    workdir: Path,
    stop: Stop | None = None,
    devices: Sequence[jax.Device] | None = None,
) -> State:
    """Start or resume the run in `workdir`, train to config.num_iterations, return the last state.

    With several processes, each calls this function; only the `workdir` of process 0 is used.

    Args:
        stop: request to stop, polled after each call of the step; None: never.
        devices: devices of all processes, in the same order in each; None: all devices.

    Raises:
        StoppedError: `stop` was requested; the state has been saved.
        UserError: the config does not fit the devices, the data or the workdir; another process
            failed or has another config; or a metric or the state is not finite (NotFiniteError).
    """
    config, stop = experiment.config, stop or Stop()
    devices = devices or all_devices()
    check_batch(config.batch_size, len(devices))
    settings = flatten_dict(experiment.settings, sep=".")
    require_same("config", settings | dict.fromkeys(DATA_PATHS))
    images = on_every_process(experiment.load_images)
    on_every_process(lambda: require_room(config, images, devices))
    with ExitStack() as opened:
        opening = _open_recorder if is_main_process() else _no_recorder
        recorder = on_every_process(
            lambda: opened.enter_context(opening(experiment, images, workdir, devices))
        )
        report(f"devices: {', '.join(f'{device.device_kind} {device.id}' for device in devices)}")
        for defect in avoidable_defects(devices[0].platform, version("jaxlib")):
            report(f"known defect: {defect}")
        report(f"workdir: {workdir}")

        fresh = experiment.init_state()
        last = config.num_iterations
        state = broadcast(on_every_process(lambda: recorder.start(fresh, last)))
        start = int(state.iteration)
        if start:
            report(f"resuming at iteration {start} of {config.num_iterations}")
        else:
            report(", ".join(f"{n}: {count:,} parameters" for n, count in _sizes(state).items()))
        state = replicate(state, devices)
        if start < config.num_iterations:
            run = Run(experiment, workdir, images, devices, recorder, stop)
            try:
                state = _iterate(run, state, start)
            except NotFiniteError as error:
                recorder.note_failure(str(error))
                raise
        else:
            report(f"all {start} iterations are done: raise --config.num_iterations for more")
        on_every_process(opened.close)
    return state


@contextmanager
def _open_recorder(
    experiment: Experiment, images: Images, workdir: Path, devices: Sequence[jax.Device]
) -> Iterator[Recorder]:
    """Open the recorder of a run to start or resume.

    Raises:
        UserError: the workdir holds a run of another config or only corrupted checkpoints, is in
            use, or is not a directory.
    """
    config = experiment.config
    local_devices = [device for device in devices if device.process_index == jax.process_index()]
    with ExitStack() as opened:
        opened.enter_context(locked(workdir))
        _open_workdir(workdir, experiment)

        def checkpoints(name: str, keep: int) -> Checkpoints:
            return opened.enter_context(closing(Checkpoints(workdir / name, keep, experiment.run)))

        newest = checkpoints("checkpoints", config.checkpoints_to_keep)
        scoring = None
        if config.eval_every:
            evaluator = experiment.evaluator(images, local_devices)
            scoring = Scoring(evaluator, checkpoints("best", 2), workdir / SCORES)
        log = opened.enter_context(closing(MetricsLog(workdir, newest.newest or 0)))
        console = opened.enter_context(closing(ConsoleLog(config.num_iterations)))
        sampler = experiment.sampler(local_devices[:1], batch_norm="running")
        yield WorkdirRecorder(
            settings=flatten_dict(experiment.settings, sep="."),
            workdir=workdir,
            in_place=InPlace(workdir),
            checkpoints=newest,
            log=log,
            console=console,
            sampler=sampler,
            diagnostics=experiment.diagnostics(images, sampler),
            key=experiment.keys.samples,
            sample_images=config.sample_images,
            periods=Periods(config.log_every, config.sample_every, config.eval_every),
            scoring=scoring,
        )


def _open_workdir(workdir: Path, experiment: Experiment) -> None:
    """Put a workdir in order; one that cannot be used stays untouched.

    Raises:
        UserError: it holds a run of another config, parts of a run, or only corrupted checkpoints.
    """
    if holds_run(workdir):
        require_compatible(experiment.settings, read_settings(workdir), f"--workdir={workdir}")
    else:
        require_no_remains(workdir)
    directories = [workdir / name for name in ("checkpoints", "best")]
    quarantine_unusable(experiment.run, *directories)
    for directory in directories:
        remove_unfinished(directory)
    remove_leftovers(workdir)
    write_settings(workdir, experiment.settings)


@contextmanager
def _no_recorder(*_: object) -> Iterator[Recorder]:
    yield Recorder()


def _iterate(run: Run, state: State, start: int) -> State:
    """Run the iterations after `start`."""
    config, recorder = run.experiment.config, run.recorder
    # Processes wait for each other after compiling: in the step, Gloo would wait for only 30 s.
    step = on_every_process(partial(_compile, run, state, start))
    release_freed_memory()  # that compilation used

    run.stop.enable_saving()
    poll = StopPoll(run.stop)
    saved = start  # iteration of the latest checkpoint
    profiler = Profiler(config.profile, run.workdir / "tensorboard")
    timer = StepTimer(config.iterations_per_call)
    for before in range(start, config.num_iterations, config.iterations_per_call):
        iteration = before + config.iterations_per_call
        last = iteration >= config.num_iterations
        with collective(), profiler.call(before, iteration), timer:
            state, metrics = step(state)
            metrics = jax.device_get(metrics)  # waits
        require_finite_metrics(iteration, metrics, saved)
        recorder.after(
            iteration, state, metrics, timer, last=last, should_stop=lambda: run.stop.requested
        )
        stopped = poll()
        if stopped or due(iteration, config.checkpoint_every, last=last):
            require_finite_state(local_copy(state), saved)
            recorder.save(state)
            saved = iteration
        if stopped and not last:
            on_every_process(recorder.wait)
            raise StoppedError(stopped, f"saved iteration {iteration} in {recorder.place}")
    report(f"done: {config.num_iterations} iterations, {timer}")
    return state


def _compile(run: Run, state: State, start: int) -> Callable[[State], tuple[State, Metrics]]:
    """Compile the training step and what the recorder computes, before the iterations are timed."""
    experiment = run.experiment
    key = experiment.keys.training
    feed: Iterator[Any] = make_feed(experiment.config, key, run.images, run.devices, start)
    images, indices = next(feed), device_indices(run.devices)
    report("compiling the training step")
    began = time.perf_counter()
    compiled = experiment.train_step(run.devices).lower(state, images, indices).compile()
    report(f"compiled in {time.perf_counter() - began:.0f} s")
    run.recorder.compile(state)

    def step(state: State) -> tuple[State, Metrics]:
        nonlocal images
        results = compiled(state, images, indices)
        images = next(feed)  # of the next call, while the devices compute this one
        return results

    return step


def _sizes(state: State) -> dict[str, int]:
    networks = {"generator": state.generator, "critic": state.critic}
    return {name: parameter_overview.count_parameters(of.params) for name, of in networks.items()}
