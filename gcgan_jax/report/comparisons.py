"""Scores of several runs, never across protocols, and paired differences between their arms."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gcgan_jax.data import DATASETS
from gcgan_jax.evaluation.protocol import Provenance
from gcgan_jax.evaluation.results import Record
from gcgan_jax.report.arms import Arm
from gcgan_jax.report.paired import LEVEL, Comparison, cells, compare, pair, titles
from gcgan_jax.report.statistics import MARGINS
from gcgan_jax.report.workdirs import Run


@dataclass(frozen=True)
class Axis:
    """What scores must have in common to share an axis.

    Attributes:
        provenance: see there. The images of a procedural data set differ between seeds: their
            digest is left out, and `data` has the fields that they follow from.
        ema: whether the EMA of the generator was scored.
    """

    score: str
    ema: bool
    provenance: Provenance
    data: str

    @property
    def title(self) -> str:
        return f"{self.score}{' of the EMA' if self.ema else ''}"


Curves = dict[str, list[Record]]  # by name of the run, in the order of iterations


def curves_by_axis(runs: Sequence[Run]) -> dict[Axis, Curves]:
    """Return the scores of generators."""
    axes: dict[Axis, Curves] = {}
    for run in runs:
        for record in sorted(run.records, key=lambda record: record.step or 0):
            if record.step is not None and record.ema is not None:
                curves = axes.setdefault(axis_of(record, run), {})
                curves.setdefault(run.name, []).append(record)
    return axes


def axis_of(record: Record, run: Run) -> Axis:
    provenance, data = record.provenance, ""
    settings = dict(run.settings["data"])
    if hasattr(DATASETS.get(settings["name"]), "structure"):
        del settings["dir"]
        data = json.dumps(settings, sort_keys=True)
        provenance = replace(provenance, data=f"{settings['name']}, drawn by seed")
    return Axis(record.score, bool(record.ema), provenance, data)


def statistics(arms: Sequence[Arm]) -> Iterator[dict[str, Any]]:
    """Yield a table for each axis: the scores of each arm by seed, and differences from the first.

    All are of the last iteration at which the first arm was scored. The comparisons of an axis are
    one family.
    """
    runs = [run for arm in arms for run in arm.runs]
    for axis, curves in curves_by_axis(runs).items():
        of_first = [curves.get(run.name, []) for run in arms[0].runs]
        steps = [records[-1].step or 0 for records in of_first if records]
        if not steps:
            continue
        values = {
            arm.name: {
                run.seed: record.value
                for run in arm.runs
                for record in curves.get(run.name, [])
                if record.step == min(steps)
            }
            for arm in arms
        }
        yield _table(axis, min(steps), values)


def _table(axis: Axis, step: int, values: dict[str, dict[int, float]]) -> dict[str, Any]:
    (first, baseline), *others = values.items()
    margin = MARGINS.get(axis.score)
    comparisons = compare({name: pair(of, baseline) for name, of in others}, margin)
    compared = titles(f"difference ({LEVEL:.0%} interval)", margin)
    columns = ["arm", "by seed", "mean", *compared]
    rows = [
        _row(name, by_seed, comparisons.get(name), len(columns))
        for name, by_seed in values.items()
        if by_seed
    ]
    return {
        "title": axis.title,
        "protocol": str(axis.provenance),
        "step": step,
        "baseline": first,
        "columns": columns,
        "rows": rows,
    }


def _row(
    name: str, by_seed: dict[int, float], comparison: Comparison | None, length: int
) -> list[str]:
    listed = ", ".join(f"{seed}: {value:.4g}" for seed, value in sorted(by_seed.items()))
    mean = f"{np.mean([*by_seed.values()]):.4g}"
    return [name, listed, mean, *cells(comparison)][:length]
