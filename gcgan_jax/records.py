"""What the first process keeps of a run, all under the workdir."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from flax.traverse_util import flatten_dict

from gcgan_jax.checkpoint import Checkpoints
from gcgan_jax.config import Config
from gcgan_jax.data import Images
from gcgan_jax.figures import make_figures, make_sampler
from gcgan_jax.gan import GAN
from gcgan_jax.log import Log
from gcgan_jax.pictures import image_grid, write_png
from gcgan_jax.state import State
from gcgan_jax.workdir import open_workdir


class Records(NamedTuple):
    """Writes rows, samples and checkpoints of states on this process's devices alone."""

    config: Config
    workdir: Path
    checkpoints: Checkpoints
    log: Log
    sampler: Callable[[State, int], np.ndarray]
    figures: Callable[[State], dict[str, float]]

    def start(self, fresh: State) -> State:
        """The newest checkpoint's state; if there is none, the fresh one."""
        if self.checkpoints.newest:
            return self.checkpoints.restore(fresh)
        self.log.hyperparameters(flatten_dict(asdict(self.config), sep="."))
        return fresh

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
        UserError: the workdir holds a run of another config, or is not a directory.
    """
    open_workdir(workdir, config)
    sampler = make_sampler(config, gan)
    figures = make_figures(config, gan, images, sampler)
    with closing(Checkpoints(workdir, config.checkpoints_to_keep)) as checkpoints:
        log = Log(workdir, checkpoints.newest or 0, config.num_iterations)
        with closing(log):
            yield Records(config, workdir, checkpoints, log, sampler, figures)
