"""Scores a checkpoint or a folder of images; `--mode=evaluate`."""

from collections.abc import Sequence
from pathlib import Path

import jax

from gcgan_jax.commands.trained import load_models
from gcgan_jax.evaluation.results import SCORES, add_records, as_tables, read_records
from gcgan_jax.experiment import Experiment
from gcgan_jax.runtime.console import report


def evaluate(
    experiment: Experiment,
    workdir: Path,
    folder: Path | None,
    devices: Sequence[jax.Device] | None = None,
    out: Path | None = None,
) -> None:
    """Print scores and add them to scores.jsonl.

    Args:
        folder: folder of images to score; None: score config.checkpoint.
        devices: devices to compute on; None: all devices of this process.
        out: directory of scores.jsonl; None: the workdir.

    Raises:
        UserError: the checkpoint, images, data or weights are missing or do not fit the
            config, or scores.jsonl is no regular file.
    """
    devices = devices or jax.local_devices()
    path = (out or workdir) / SCORES
    read_records(path)  # fails early if it is no file
    if folder:
        records = experiment.evaluator(experiment.load_images(), devices).score_folder(folder)
    else:
        models = load_models(experiment, workdir)  # before images are loaded: fails early
        records = experiment.evaluator(experiment.load_images(), devices).score(models)
    try:
        add_records(path, records)
    finally:  # even if they cannot be written
        report(as_tables(records))
