"""Scores of a run's checkpoint, or of a folder of images; `--mode=evaluate`."""

from pathlib import Path

import jax

from gcgan_jax.config import Config
from gcgan_jax.data import load_images
from gcgan_jax.evaluation.evaluator import Evaluator, make_evaluator
from gcgan_jax.evaluation.protocol import add_records, as_tables
from gcgan_jax.log import say
from gcgan_jax.records import SCORES
from gcgan_jax.trained import load_state


def evaluate(config: Config, workdir: Path, folder: Path | None) -> None:
    """Prints scores, and adds them to the workdir's scores.jsonl.

    Args:
        folder: of images; None: those of the checkpoint that config.checkpoint names.

    Raises:
        UserError: nothing there to be scored, or not with this config.
    """
    if folder:
        records = _evaluator(config).of_folder(folder)
    else:
        state = load_state(config, workdir)  # fails sooner than loading images takes
        records = _evaluator(config).of_state(state)
    say(as_tables(records))  # first, as they are not lost then if they cannot be written
    add_records(workdir / SCORES, records)


def _evaluator(config: Config) -> Evaluator:
    return make_evaluator(config, load_images(config), jax.local_devices())
