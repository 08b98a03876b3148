"""What a run records in its workdir: metrics, sample grids, scores and checkpoints."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from gcgan_jax.evaluation.diagnostics import Diagnostics
from gcgan_jax.evaluation.evaluator import Evaluator
from gcgan_jax.evaluation.results import Record, add_records, read_records
from gcgan_jax.gan.losses.loss import Metrics
from gcgan_jax.gan.sampler import Sampler
from gcgan_jax.gan.state import State
from gcgan_jax.regular_files import read_regular
from gcgan_jax.runtime.console import report
from gcgan_jax.runtime.devices import local_copy
from gcgan_jax.runtime.memory import peak_memory
from gcgan_jax.storage.atomic import write_text
from gcgan_jax.storage.checkpoints import Checkpoints
from gcgan_jax.storage.image_files import image_grid, write_png
from gcgan_jax.storage.in_place import InPlace
from gcgan_jax.storage.metrics_log import MetricsLog
from gcgan_jax.training.console_log import ConsoleLog
from gcgan_jax.training.timer import StepTimer


@dataclass(frozen=True)
class Periods:
    """Iterations between log entries, between sample grids and between scores (None: never)."""

    log: int
    sample: int
    score: int | None


@dataclass(frozen=True)
class Scoring:
    """Scores states, and saves the best ones in their own directory.

    Attributes:
        best: checkpoints of the best states.
        path: the scores.jsonl of the run.
    """

    evaluator: Evaluator
    best: Checkpoints
    path: Path

    def __post_init__(self) -> None:
        """Raise UserError if no scores can be added to `path`, before anything is trained."""
        add_records(self.path, [])

    def score(self, state: State, should_stop: Callable[[], bool]) -> dict[str, float]:
        """Return scores by their keys in the log; {} if asked to stop before they are complete."""
        new = self.evaluator.score(state.models, should_stop)
        if not new:
            return {}
        add_records(self.path, new)  # before anything else can fail
        if self.evaluator.best(new) < self.evaluator.best(self.of(self.best.newest)):
            self.best.save(state, int(state.iteration))
        scores = {f"score/{'ema/' if r.ema else ''}{r.score}": r.value for r in new}
        listed = (f"{name.removeprefix('score/')} {value:.4g}" for name, value in scores.items())
        report(f"scores of iteration {int(state.iteration)}: {', '.join(listed)}")
        return scores

    def of(self, iteration: int | None) -> list[Record]:
        """Return the known scores of an iteration."""
        return [record for record in read_records(self.path) if record.step == iteration]


class Recorder:
    """What the training loop calls; this base class, for all processes but 0, records nothing."""

    def start(self, fresh: State, last: int) -> State:
        """Return the state of the latest checkpoint, or the fresh one if there is none.

        If scoring that state was interrupted, it is scored first.

        Args:
            last: the last iteration of the run.
        """
        return fresh

    def compile(self, state: State) -> None:
        """Compile all functions of a replicated state, before the iterations are timed."""

    def after(
        self,
        iteration: int,
        state: State,
        metrics: Metrics,
        timer: StepTimer,
        *,
        last: bool,
        should_stop: Callable[[], bool],
    ) -> None:
        """Record what is due after a call of the step.

        Args:
            iteration: the last iteration of the call.
            state: replicated state after the call.
            metrics: metrics of all iterations of the call, [iterations] each.
            timer: measures the calls.
            last: whether this was the last call of the run.
            should_stop: polled while scoring, which it interrupts.
        """

    def save(self, state: State) -> None:
        """Save a replicated state."""

    def wait(self) -> None:
        """Wait until the latest state is on disk."""

    def note_failure(self, what: str) -> None:
        """Store a message that the next start prints."""

    @property
    def place(self) -> str:
        """Where states are saved, for messages."""
        return "the workdir of process 0"


@dataclass(frozen=True)
class WorkdirRecorder(Recorder):
    """The recorder of process 0.

    Attributes:
        settings: the config, by dotted path of each field.
        key: key of the latents of the sample grids.
        sample_images: number of images in a grid.
        scoring: how states are scored; None: not at all.
    """

    settings: Mapping[str, Any]
    workdir: Path
    in_place: InPlace
    checkpoints: Checkpoints
    log: MetricsLog
    console: ConsoleLog
    sampler: Sampler
    diagnostics: Diagnostics
    key: jax.Array
    sample_images: int
    periods: Periods
    scoring: Scoring | None

    def start(self, fresh: State, last: int) -> State:
        if self._failure.exists():
            failure = read_regular(self._failure).decode(errors="replace")
            report(f"the previous run {failure}; this may happen again")
        newest = self.checkpoints.newest
        if not newest:
            self.log.hyperparameters(self.settings)
            return fresh
        state = self.checkpoints.restore(fresh, newest)
        score = due(newest, self.periods.score, last=newest == last)
        if score and self.scoring and not self.scoring.of(newest):
            report(f"iteration {newest} has no scores: scoring it")
            with self.in_place.watched():
                self.scoring.score(state, lambda: False)
        return state

    def compile(self, state: State) -> None:
        local = local_copy(state)
        self.diagnostics(local)
        self._samples(local)
        self.console.start(int(local.iteration))

    def after(
        self,
        iteration: int,
        state: State,
        metrics: Metrics,
        timer: StepTimer,
        *,
        last: bool,
        should_stop: Callable[[], bool],
    ) -> None:
        self.console.step(iteration)
        entries = entries_of(iteration, metrics)
        score = due(iteration, self.periods.score, last=last)
        log = score or due(iteration, self.periods.log, last=last)
        logged = {step for step in entries if step == 1 or (log and step == iteration)}
        if logged:
            local = local_copy(state)
            shared = {"iterations_per_second": timer.lap()} | peak_memory(jax.local_devices())
            with self.in_place.watched():
                if score and self.scoring:
                    entries[iteration] |= self.scoring.score(local, should_stop)
                shared |= self.diagnostics(local)
                for step in sorted(logged):
                    self.log.entry(step, entries[step] | shared)
                    self.console.entry(step, entries[step] | shared)
        if due(iteration, self.periods.sample, last=last):
            with self.in_place.watched():
                self._sample(iteration, local_copy(state))

    def save(self, state: State) -> None:
        """Save a replicated state, and forget any failure that was noted before it."""
        with self.in_place.watched():
            self.checkpoints.save(local_copy(state), int(state.iteration))
            self._failure.unlink(missing_ok=True)

    def wait(self) -> None:
        with self.in_place.watched():
            self.checkpoints.wait()

    def note_failure(self, what: str) -> None:
        write_text(self._failure, what)

    @property
    def place(self) -> str:
        return str(self.workdir)

    @property
    def _failure(self) -> Path:
        return self.workdir / "not-finite.txt"

    def _samples(self, state: State) -> np.ndarray:
        return self.sampler.first(state.generator.variables, self.key, self.sample_images)

    def _sample(self, iteration: int, state: State) -> None:
        grid = image_grid(self._samples(state))
        write_png(self.workdir / "samples" / f"{iteration:07}.png", grid)
        self.log.image(iteration, grid)


def due(iteration: int, every: int | None, *, last: bool) -> bool:
    """Return whether what is done every so many iterations (None: never), and last, is due."""
    return last or (every is not None and iteration % every == 0)


def entries_of(iteration: int, metrics: Metrics) -> dict[int, dict[str, float]]:
    """Split the metrics [n] of the n iterations up to this one into entries by iteration."""
    n = len(next(iter(metrics.values())))
    first = iteration - n + 1
    return {
        first + index: {name: float(values[index]) for name, values in metrics.items()}
        for index in range(n)
    }
