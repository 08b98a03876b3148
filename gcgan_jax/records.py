"""What the first process keeps of a run, all under the workdir."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from flax.traverse_util import flatten_dict
from jax import Array

from gcgan_jax.checkpoint import Checkpoints, set_damaged_aside
from gcgan_jax.config import Config
from gcgan_jax.data import Images
from gcgan_jax.evaluation.evaluator import Evaluator, make_evaluator
from gcgan_jax.evaluation.protocol import add_records, read_records
from gcgan_jax.figures import make_figures, make_sampler
from gcgan_jax.files import write_text
from gcgan_jax.gan import GAN
from gcgan_jax.lock import locked
from gcgan_jax.log import Log, say
from gcgan_jax.pictures import image_grid, write_png
from gcgan_jax.state import State
from gcgan_jax.stopping import Stop
from gcgan_jax.workdir import open_workdir

SCORES = "scores.jsonl"  # in the workdir


class _Interrupted(Exception):  # noqa: N818, as nobody outside sees it
    pass


class Scoring(NamedTuple):
    """Scores states, and keeps the best one beside the newest."""

    evaluator: Evaluator
    best: Checkpoints
    path: Path

    def score(self, state: State, stop: Stop) -> dict[str, float]:
        """Scores by the names of the log's figures; none if `stop` is asked for meanwhile."""

        def generate(variables: Any) -> Iterator[Array]:
            for images in self.evaluator.generate(variables):
                if stop.number is not None:
                    raise _Interrupted
                yield images

        try:
            new = self.evaluator._replace(generate=generate).of_state(state)
        except _Interrupted:
            return {}
        of_best = [r for r in read_records(self.path) if r.step == self.best.newest]
        add_records(self.path, new)
        if self.evaluator.best(new) < self.evaluator.best(of_best):
            self.best.save(state, int(state.iteration))
        return {f"score/{'ema/' if r.ema else ''}{r.score}": r.value for r in new}


class Records(NamedTuple):
    """Writes rows, samples and checkpoints of states on this process's devices alone."""

    config: Config
    workdir: Path
    checkpoints: Checkpoints
    log: Log
    sampler: Callable[[State, int], np.ndarray]
    figures: Callable[[State], dict[str, float]]
    scoring: Scoring | None  # during training

    def start(self, fresh: State) -> State:
        """The newest checkpoint's state; if there is none, the fresh one."""
        if self._failure.exists():
            say(f"the run before {self._failure.read_text()}; the same may happen again")
        if self.checkpoints.newest:
            return self.checkpoints.restore(fresh, self.checkpoints.newest)
        self.log.hyperparameters(flatten_dict(asdict(self.config), sep="."))
        return fresh

    @property
    def _failure(self) -> Path:
        return self.workdir / "not-finite.txt"

    def note_failure(self, told: str) -> None:
        """Keeps it for the next start to tell."""
        write_text(self._failure, told)

    def save(self, state: State, iteration: int) -> None:
        """Saves a state that is past whatever failed before."""
        self.checkpoints.save(state, iteration)
        self._failure.unlink(missing_ok=True)

    def compile(self, state: State) -> None:
        """Compiles what is measured and drawn, so that its time is not the iterations'."""
        self.figures(state)
        self.sampler(state, self.config.sample_images)

    def rows(self, own: dict[int, dict[str, float]], rate: float, state: State) -> None:
        """One row for each iteration in `own`, with the figures of `state`."""
        seen = {"iterations_per_second": rate} | self.figures(state)
        for iteration, values in own.items():
            self.log.figures(iteration, values | seen)

    def sample(self, iteration: int, state: State) -> None:
        picture = image_grid(self.sampler(state, self.config.sample_images))
        write_png(self.workdir / "samples" / f"{iteration:07}.png", picture)
        self.log.picture(iteration, picture)


@contextmanager
def open_records(config: Config, gan: GAN, images: Images, workdir: Path) -> Iterator[Records]:
    """The records of a new run, or of one to go on with.

    Raises:
        UserError: the workdir holds a run of another config or damaged checkpoints alone, is in
            use, or is not a directory.
    """
    with ExitStack() as opened:
        opened.enter_context(locked(workdir))
        open_workdir(workdir, config)
        sampler = make_sampler(config, gan)
        figures = make_figures(config, gan, images, sampler)

        def checkpoints(name: str, keep: int) -> Checkpoints:
            return opened.enter_context(closing(Checkpoints(workdir / name, keep)))

        for name in ("checkpoints", "best"):
            set_damaged_aside(workdir / name)
        newest = checkpoints("checkpoints", config.checkpoints_to_keep)
        scoring = None
        if config.eval_every:
            evaluator = make_evaluator(config, images, jax.local_devices())
            scoring = Scoring(evaluator, checkpoints("best", 2), workdir / SCORES)
        log = Log(workdir, newest.newest or 0, config.num_iterations)
        opened.enter_context(closing(log))
        yield Records(config, workdir, newest, log, sampler, figures, scoring)
