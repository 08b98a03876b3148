"""A trained generator, taken from the checkpoint that a config names."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np
from flax.typing import VariableDict

from gcgan_jax.config.compatibility import require_compatible
from gcgan_jax.errors import UserError
from gcgan_jax.experiment import Experiment
from gcgan_jax.gan.rng import Latents, streams
from gcgan_jax.gan.sampler import Sampler
from gcgan_jax.gan.state import State
from gcgan_jax.storage.checkpoints import Checkpoints
from gcgan_jax.storage.workdir import read_settings


@dataclass(frozen=True)
class Trained:
    """A generator, or its average, at an iteration of its training; and what makes its images."""

    experiment: Experiment
    sampler: Sampler
    variables: VariableDict
    iteration: int

    @property
    def name(self) -> str:
        """Of files made with it."""
        averaged = "-averaged" if self.experiment.config.show.averaged else ""
        return f"{self.iteration:07}{averaged}"

    @property
    def key(self) -> jax.Array:
        """Of the latents that config.show.seed gives."""
        return streams(self.experiment.config.show.seed).looking

    def latents(self, numbers: Sequence[int]) -> Latents:
        return self.sampler.latents(self.key, numbers)

    def images(self, latents: Latents) -> np.ndarray:
        """uint8 [n, H, W, F]."""
        return self.sampler.images(self.variables, latents)


def load_trained(
    experiment: Experiment, workdir: Path, devices: Sequence[jax.Device] | None = None
) -> Trained:
    """The generator that config.checkpoint and config.show.averaged name.

    Args:
        devices: that make images; None: all of this process.

    Raises:
        UserError: there is none, or the workdir is of another config.
    """
    state = load_state(experiment, workdir)
    variables = state.ema if experiment.config.show.averaged else state.generator.variables
    sampler = experiment.sampler(devices or jax.local_devices())
    return Trained(experiment, sampler, variables, int(state.iteration))


def load_state(experiment: Experiment, workdir: Path) -> State:
    """The state of the checkpoint that config.checkpoint names.

    Raises:
        UserError: there is none, or the workdir is of another config.
    """
    name = experiment.config.checkpoint
    directory = workdir / ("best" if name == "best" else "checkpoints")
    require_compatible(experiment.settings, read_settings(workdir), f"--workdir={workdir}")
    shapes = experiment.state_shapes()
    like = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes)
    with closing(Checkpoints(directory, keep=None)) as checkpoints:
        there = checkpoints.all
        iteration = int(name) if name.isdecimal() else checkpoints.newest
        if iteration not in there:
            has = f"there are {', '.join(map(str, there))}" if there else "there is none yet"
            raise UserError(
                f"config.checkpoint = {name!r}: no such checkpoint in {directory}; {has}"
            )
        return checkpoints.restore(like, iteration)
