"""Measures what a non-local layer could gain on a data set at all; `--mode=headroom`.

It needs no trained run.
"""

import json
from dataclasses import asdict
from pathlib import Path

from gcgan_jax.data.images import Images
from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.far_nodes import NEIGHBOURS, WINDOW
from gcgan_jax.evaluation.headroom import (
    HEADROOM,
    ORIGINS,
    WEIGHTED,
    Headroom,
    Share,
    measure,
)
from gcgan_jax.experiment import Experiment
from gcgan_jax.report import markdown
from gcgan_jax.runtime.console import report
from gcgan_jax.storage.atomic import write_text

FILE = "headroom.json"


def headroom(experiment: Experiment, workdir: Path, out: Path | None = None) -> None:
    """Print a table and what it says; write the numbers as JSON.

    Args:
        out: directory for the JSON; None: the workdir.

    Raises:
        UserError: the data set cannot be loaded, or has too few images.
    """
    data, count = experiment.config.data, experiment.config.show.headroom_images
    images = first_images(experiment.dataset.load(), count, data.name)
    measured = measure(images.train, images.test)
    report(as_table(measured))
    report(conclude(measured))
    path = (out or workdir) / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = {"data": data.name, "images": count, **asdict(measured)}
    write_text(path, json.dumps(numbers, indent=1) + "\n")
    report(f"all numbers: {path}")


def first_images(images: Images, count: int, name: str) -> Images:
    """Return the first images of both splits.

    Raises:
        UserError: a split has fewer.
    """
    for split, found in images._asdict().items():
        if len(found) < count:
            kind = "held-out" if split == "test" else "training"
            raise UserError(
                f"config.show.headroom_images = {count}: {name} has {len(found)} {kind} images: "
                "choose fewer, 10 or more"
            )
    return Images(*(split[:count] for split in images))


def as_table(measured: Headroom) -> str:
    """Format what far pixels explain, in percent of what surrounds leave."""
    predictors = measured.explained
    rows = (
        (origin, *(percent(shares[origin]) for shares in predictors.values()))
        for origin in (*ORIGINS, HEADROOM)
    )
    head = markdown.header(f"{NEIGHBOURS} far pixels", *(f"{name}, %" for name in predictors))
    return "\n".join([head, *(markdown.row(*row) for row in rows)])


def conclude(measured: Headroom) -> str:
    """Say what the headroom means, and what it does not."""
    surround, headroom = f"{WINDOW}x{WINDOW} pixels", measured.explained[WEIGHTED][HEADROOM]
    if headroom.value is None:
        return f"Surrounds of {surround} predict pixels up to rounding: nothing is left to gain."
    assert measured.by_surround is not None  # as there are residuals
    return (
        f"Surrounds of {surround} explain {100 * measured.by_surround:.1f} % of the pixels' "
        f"variance. Of the rest, similar pixels far away in the same image explain "
        f"{percent(headroom)} % more than those of another image: what self-similarity could gain. "
        "Local predictors that are better than this linear one leave less; relations other than "
        "similarity, such as reflections, are not measured."
    )


def percent(share: Share) -> str:
    if share.value is None:
        return "-"
    error = "" if share.error is None else f" ± {100 * share.error:.2f}"
    return f"{100 * share.value:z.2f}{error}"  # z: no -0.00
