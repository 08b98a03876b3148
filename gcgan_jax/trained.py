"""A trained generator, taken from the checkpoint that a config names."""

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from gcgan_jax.checkpoint import Checkpoints
from gcgan_jax.config import Config
from gcgan_jax.draws import draw_latents, streams
from gcgan_jax.errors import UserError
from gcgan_jax.gan import GAN, build_gan, images_of
from gcgan_jax.optimizer import make_direction
from gcgan_jax.state import State, init_state
from gcgan_jax.workdir import check_workdir

Tree = Any


class Trained(NamedTuple):
    """A generator, or its average, at an iteration of its training."""

    config: Config
    gan: GAN
    variables: Tree
    iteration: int

    @property
    def name(self) -> str:
        """Of files made with it."""
        return f"{self.iteration:07}{'-averaged' * self.config.show.averaged}"

    def latents(self, numbers: Array) -> Array:
        """Those of config.show.seed: numbers [n] -> [n, latent]."""
        key = streams(self.config.show.seed).looking
        return draw_latents(key, jnp.asarray(numbers), self.gan.latent_size)

    def images(self, z: Array) -> np.ndarray:
        """[n, latent] -> uint8 [n, H, W, F], a few at a time."""

        @jax.jit
        @jax.default_matmul_precision(self.config.matmul_precision)
        def generate(variables: Tree, z: Array) -> Array:
            return images_of(self.gan, variables, z, self.config.eval.batch_norm)

        size = self.config.eval.batch_size
        parts = [generate(self.variables, z[i : i + size]) for i in range(0, len(z), size)]
        return np.concatenate([np.asarray(part) for part in parts])


def load_trained(config: Config, workdir: Path) -> Trained:
    """The generator that config.checkpoint and config.show.averaged name.

    Raises:
        UserError: there is none, or the workdir is of another config.
    """
    state = load_state(config, workdir)
    variables = state.average if config.show.averaged else state.generator_variables
    return Trained(config, build_gan(config), variables, int(state.iteration))


def load_state(config: Config, workdir: Path) -> State:
    """The state of the checkpoint that config.checkpoint names.

    Raises:
        UserError: there is none, or the workdir is of another config.
    """
    name = config.checkpoint
    directory = workdir / ("best" if name == "best" else "checkpoints")
    check_workdir(workdir, config)
    gan, direction = build_gan(config), make_direction(config.optimizer)
    init = partial(init_state, gan, direction, averaged=config.ema_decay > 0)
    shapes = jax.eval_shape(init, streams(config.seed).parameters)
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
