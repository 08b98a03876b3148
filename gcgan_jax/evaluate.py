"""Scores of a run's checkpoint, or of a folder of images; `--mode=evaluate`."""

from contextlib import closing
from functools import partial
from pathlib import Path

import jax
import numpy as np

from gcgan_jax.checkpoint import Checkpoints
from gcgan_jax.config import Config
from gcgan_jax.data import load_images
from gcgan_jax.draws import streams
from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.evaluator import Evaluator, make_evaluator
from gcgan_jax.evaluation.protocol import add_records, as_tables
from gcgan_jax.gan import build_gan
from gcgan_jax.log import say
from gcgan_jax.optimizer import make_direction
from gcgan_jax.records import SCORES
from gcgan_jax.state import State, init_state
from gcgan_jax.workdir import check_workdir


def evaluate(config: Config, workdir: Path, folder: Path | None) -> None:
    """Prints scores, and adds them to the workdir's scores.jsonl.

    Args:
        folder: of images; None: those of the checkpoint that config.eval.checkpoint names.

    Raises:
        UserError: nothing there to be scored, or not with this config.
    """
    if folder:
        records = _evaluator(config).of_folder(folder)
    else:
        state = restore(config, workdir)  # fails sooner than loading images takes
        records = _evaluator(config).of_state(state)
    add_records(workdir / SCORES, records)
    say(as_tables(records))


def _evaluator(config: Config) -> Evaluator:
    return make_evaluator(config, load_images(config), jax.local_devices())


def restore(config: Config, workdir: Path) -> State:
    """The state of the checkpoint that config.eval.checkpoint names.

    Raises:
        UserError: there is none, or the workdir is of another config.
    """
    name = config.eval.checkpoint
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
                f"config.eval.checkpoint = {name!r}: no such checkpoint in {directory}; {has}"
            )
        return checkpoints.restore(like, iteration)
