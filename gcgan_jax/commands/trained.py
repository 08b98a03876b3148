"""Loads a trained generator: from a run's checkpoint, or the example in this package."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import jax
import numpy as np
from flax.typing import VariableDict

from gcgan_jax.config.compatibility import require_compatible
from gcgan_jax.config.schema import from_mapping
from gcgan_jax.errors import UserError
from gcgan_jax.experiment import Experiment, make_experiment
from gcgan_jax.gan.rng import Latents, run_keys
from gcgan_jax.gan.sampler import Sampler
from gcgan_jax.gan.state import Models, State
from gcgan_jax.storage.checkpoints import Checkpoints
from gcgan_jax.storage.trees import from_bytes
from gcgan_jax.storage.workdir import read_settings

EXAMPLE = "example"  # value of config.checkpoint that selects the example
EXAMPLE_DIRECTORY = Path(__file__).parents[1] / "example"  # of its config.json and its weights
GENERATOR = "generator.safetensors"  # the weights


@dataclass(frozen=True)
class Trained:
    """A trained generator, or its EMA, and the sampler that generates its images.

    Attributes:
        variables: variables of the generator, or of its EMA if config.show.ema is set.
        iteration: generator iterations it was trained for.
    """

    experiment: Experiment
    sampler: Sampler
    variables: VariableDict
    iteration: int

    @property
    def name(self) -> str:
        """The iteration, with -ema for the EMA; ends the names of files generated from it."""
        ema = "-ema" if self.experiment.config.show.ema else ""
        return f"{self.iteration:07}{ema}"

    @property
    def key(self) -> jax.Array:
        """Key of the latents, derived from config.show.seed."""
        return run_keys(self.experiment.config.show.seed).samples

    def latents(self, indices: Sequence[int]) -> Latents:
        """Draw the latents of these indices."""
        return self.sampler.latents(self.key, indices)

    def images(self, latents: Latents) -> np.ndarray:
        """Generate the images of n latents, uint8 [n, H, W, F]."""
        return self.sampler.images(self.variables, latents)


def load_generator(
    workdir: str | Path, checkpoint: str = "newest", *, ema: bool = False
) -> Trained:
    """Load the generator of a run, by the config stored in its workdir.

    Args:
        checkpoint: "newest", "best" or an iteration such as "500".
        ema: whether to load the generator's exponential moving average.

    Raises:
        UserError: the workdir holds no run, or no such checkpoint or EMA.
    """
    config = from_mapping(read_settings(Path(workdir)))
    config = replace(config, checkpoint=checkpoint, show=replace(config.show, ema=ema))
    return load_trained(make_experiment(config), Path(workdir))


def load_example() -> Trained:
    """Load the example generator in this package; see `example/card.md`."""
    config = replace(from_mapping(read_settings(EXAMPLE_DIRECTORY)), checkpoint=EXAMPLE)
    return load_trained(make_experiment(config), Path())


def load_trained(
    experiment: Experiment, workdir: Path, devices: Sequence[jax.Device] | None = None
) -> Trained:
    """Load the generator that config.checkpoint and config.show.ema select.

    Args:
        devices: devices to generate images on; None: all devices of this process.

    Raises:
        UserError: there is no such checkpoint, or the run has a different config.
    """
    models = load_models(experiment, workdir)
    variables = models.ema if experiment.config.show.ema else models.generator
    sampler = experiment.sampler(devices or jax.local_devices())
    return Trained(experiment, sampler, variables, models.iteration)


def load_models(experiment: Experiment, workdir: Path) -> Models:
    """Load the generator, and its EMA if there is one, from config.checkpoint.

    Raises:
        UserError: there is no such checkpoint, or the run has a different config.
    """
    if experiment.config.checkpoint == EXAMPLE:
        return _load_example(experiment)
    return load_state(experiment, workdir).models


def load_state(experiment: Experiment, workdir: Path) -> State:
    """Load the training state from config.checkpoint.

    Raises:
        UserError: there is no such checkpoint, or the run has a different config.
    """
    name = experiment.config.checkpoint
    directory = workdir / ("best" if name == "best" else "checkpoints")
    require_compatible(experiment.settings, read_settings(workdir), f"--workdir={workdir}")
    with closing(Checkpoints(directory, None, experiment.run)) as checkpoints:
        available = checkpoints.all
        iteration = int(name) if name.isdecimal() else checkpoints.newest
        if iteration not in available:
            listed = (
                f"there are {', '.join(map(str, available))}" if available else "there is none yet"
            )
            raise UserError(
                f"config.checkpoint = {name!r}: no such checkpoint in {directory}; {listed}"
            )
        return checkpoints.restore(_zeros(experiment), iteration)


def load_preceding(experiment: Experiment, workdir: Path, iteration: int) -> State | None:
    """Load the latest checkpoint of a run before an iteration; None if there is none."""
    with closing(Checkpoints(workdir / "checkpoints", None, experiment.run)) as checkpoints:
        earlier = [available for available in checkpoints.all if available < iteration]
        return checkpoints.restore(_zeros(experiment), max(earlier)) if earlier else None


def _zeros(experiment: Experiment) -> State:
    shapes = experiment.state_shapes()
    return jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes)


def _load_example(experiment: Experiment) -> Models:
    settings = read_settings(EXAMPLE_DIRECTORY)
    remedy = "use --config=configs/quickstart.py without changing its training fields"
    require_compatible(experiment.settings, settings, f"config.checkpoint = {EXAMPLE!r}", remedy)
    stored = (EXAMPLE_DIRECTORY / GENERATOR).read_bytes()
    return Models(settings["num_iterations"], from_bytes(stored), {})
