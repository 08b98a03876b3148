"""Scores of a run's checkpoint, or of a folder of images; `--mode=evaluate`."""

from collections.abc import Sequence
from pathlib import Path

import jax

from gcgan_jax.commands.trained import load_models
from gcgan_jax.evaluation.results import SCORES, add_records, as_tables
from gcgan_jax.experiment import Experiment
from gcgan_jax.runtime.console import report


def evaluate(
    experiment: Experiment,
    workdir: Path,
    folder: Path | None,
    devices: Sequence[jax.Device] | None = None,
) -> None:
    """Prints scores, and adds them to the workdir's scores.jsonl.

    Args:
        folder: of images; None: those of the checkpoint that config.checkpoint names.
        devices: that score; None: all of this process.

    Raises:
        UserError: nothing there to be scored, or not with this config.
    """
    devices = devices or jax.local_devices()
    if folder:
        records = experiment.evaluator(experiment.load_images(), devices).score_folder(folder)
    else:
        models = load_models(experiment, workdir)  # fails sooner than loading images takes
        records = experiment.evaluator(experiment.load_images(), devices).score(models)
    report(as_tables(records))  # first, as they are not lost then if they cannot be written
    add_records(workdir / SCORES, records)
