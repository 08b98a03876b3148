"""Trainings of the program."""

import base64
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from gcgan_jax.evaluation.results import SCORES, read_records
from gcgan_jax.storage.image_files import GAP
from gcgan_jax.storage.metrics_log import Entry, read_entries
from scripts.study.jobs import Job

POINTS = 16  # of a curve
CURVES = (  # the last parts of their names in metrics.jsonl
    *("agreement", "diagonal_correlation", "wasserstein"),
    *("distance_ratio", "news"),
)
SHOWN_IMAGES, COLOURS = 3, 64  # of the last sample grid, and how many colours images are stored in


def commands(job: Job, root: Path, flags: Sequence[str]) -> list[list[str]]:
    """Return the command line of a job; it can be repeated, and resumes.

    Args:
        root: working directory of the study.
        flags: further flags of the program, such as the place of a data set.
    """
    settings = dict(job.settings)
    command = [sys.executable, "-m", "gcgan_jax.main", f"--config={settings.pop('config')}"]
    command += [f"--workdir={job.workdir(root).absolute()}", f"--config.seed={job.seed}"]
    command += [f"--config.eval_every={settings['num_iterations']}"]
    command += [f"--config.{name}={_flag(value)}" for name, value in settings.items()]
    return [[*command, *flags]]


def result(job: Job, root: Path) -> dict[str, Any] | None:
    """Return the result of a job; None before it is finished."""
    workdir, last = job.workdir(root), job.settings["num_iterations"]
    scores = {
        record.score: record.value
        for record in read_records(workdir / SCORES)
        if record.step == last and not record.ema
    }
    entries = read_entries(workdir).rows
    if not scores or not entries or entries[-1]["step"] != last:
        return None
    found = {"scores": scores, "last": last_measures(entries[-1]), "curves": curves(entries)}
    return found if job.seed else found | {"samples": samples(workdir, last)}


def samples(workdir: Path, iteration: int) -> str:
    """Return the first images of a sample grid, side by side: a PNG in base64."""
    side = json.loads((workdir / "config.json").read_text())["data"]["image_size"]
    with Image.open(workdir / "samples" / f"{iteration:07}.png") as grid:
        return small_png(grid.crop((0, 0, SHOWN_IMAGES * (side + GAP) - GAP, side)))


def small_png(image: Image.Image) -> str:
    """Return an image of few colours: a PNG in base64."""
    png = io.BytesIO()
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(png, "PNG", optimize=True)
    return base64.b64encode(png.getvalue()).decode()


def last_measures(entry: Entry) -> dict[str, float | None]:
    """Return the layers' diagnostics and the critic's estimates of the last log entry."""
    return {
        name: value
        for name, value in entry.items()
        if name.startswith(("graph/", "critic/")) or name in ("wasserstein", "gradient_norm")
    }


def curves(entries: Sequence[Entry]) -> dict[str, list[float | None]]:
    """Return CURVES and their iterations, `step`, thinned to POINTS with the last among them."""
    stride = -(-len(entries) // POINTS)
    kept = entries[::-1][::stride][::-1]
    names = [name for name in entries[-1] if name.rpartition("/")[2] in ("step", *CURVES)]
    return {name: [entry.get(name) for entry in kept] for name in names}


def _flag(value: Any) -> str:
    return str(tuple(value)) if isinstance(value, list | tuple) else str(value)
