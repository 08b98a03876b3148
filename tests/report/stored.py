"""Workdirs as training leaves them, without training."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from gcgan_jax.evaluation.results import Record, add_records
from gcgan_jax.storage.image_files import image_grid, write_png
from gcgan_jax.storage.workdir import write_settings
from tests.conftest import make

Values = Callable[[int], dict[str, Any]]


def losses(step: int) -> dict[str, Any]:
    return {"wasserstein": 10.0 / step, "graph/block2_graph/news": 0.5, "score/fid": 1.0}


def store_run(
    workdir: Path,
    *,
    steps: Iterable[int] = (1, 2, 4),
    values: Values = losses,
    records: Iterable[Record] = (),
    grids: Iterable[int] = (),
    **changes: Any,
) -> Path:
    """Write a workdir: `values` by step, `records` and grids of 25 samples.

    Changes are named as in `make_config`.
    """
    workdir.mkdir(parents=True)
    write_settings(workdir, make(**changes).settings)
    lines = (json.dumps({"step": step} | values(step)) + "\n" for step in steps)
    (workdir / "metrics.jsonl").write_text("".join(lines))
    if records:
        add_records(workdir / "scores.jsonl", list(records))
    if grids:
        (workdir / "samples").mkdir()
    for step in grids:
        pixels = np.random.default_rng(step).integers(256, size=(25, 16, 16, 3), dtype=np.uint8)
        write_png(workdir / "samples" / f"{step:07}.png", image_grid(pixels))
    return workdir
