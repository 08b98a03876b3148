"""The contents of a report page, as JSON for its scripts."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from gcgan_jax import __version__
from gcgan_jax.evaluation.results import Record
from gcgan_jax.report.arms import Arm, arms_of, config_table
from gcgan_jax.report.comparisons import Axis, Curves, curves_by_axis, statistics
from gcgan_jax.report.grids import sample_grids
from gcgan_jax.report.thinning import thinned
from gcgan_jax.report.workdirs import Omitted, Run

BUCKETS = 300  # intervals of a thinned curve, see `thinned`
SAMPLES = 3_500_000  # bytes for all sample grids
SPEED, MEMORY = "iterations_per_second", "peak_memory_gib"
GRAPH, SCORE = "graph/", "score/"  # starts of the names of metrics

Json = dict[str, Any]


def contents(runs: Sequence[Run], omitted: Sequence[Omitted], viewers: Sequence[Json]) -> Json:
    """Return everything that a page shows of some runs."""
    arms = arms_of(runs)
    arm_of = {run.name: number for number, arm in enumerate(arms) for run in arm.runs}
    return {
        "version": __version__,
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "arms": [{"name": arm.name, "seeds": [run.seed for run in arm.runs]} for arm in arms],
        "runs": [_run_as_json(run, arm_of[run.name]) for run in runs],
        "config": config_table(arms),
        "buckets": BUCKETS,
        "curves": [_chart(name, arms) for name in metric_names(runs)],
        "samples": sample_grids(runs, SAMPLES),
        "scores": [_panel(axis, curves, arm_of) for axis, curves in curves_by_axis(runs).items()],
        "statistics": list(statistics(arms)) if len(arms) > 1 else [],
        "viewers": list(viewers),
        "omitted": [{"name": run.name, "reason": run.reason} for run in omitted],
    }


def metric_names(runs: Sequence[Run]) -> list[str]:
    """Return the metrics of all runs: losses first, those of graph layers and of cost last.

    Scores are left out, as the log does not say by which protocol they were obtained.
    """
    known = dict.fromkeys(name for run in runs for name in run.metrics)
    shown = [name for name in known if not name.startswith(SCORE)]
    return sorted(shown, key=lambda name: (_kind(name) != "training", "/" in name, name))


def _kind(name: str) -> str:
    if name.startswith(GRAPH):
        return "graph"
    return "cost" if name in (SPEED, MEMORY) else "training"


def _chart(name: str, arms: Sequence[Arm]) -> Json:
    """Return a thin curve for each run, and for several seeds of an arm their mean."""
    series = []
    for number, arm in enumerate(arms):
        of_runs = [
            (run.name, run.steps, run.metrics[name]) for run in arm.runs if name in run.metrics
        ]
        for label, steps, values in of_runs:
            series.append(_series(label, number, len(of_runs) > 1, steps, values))
        mean = arm.mean(name)
        if mean:
            series.append(_series(f"{arm.name}, mean", number, False, *mean))
    return {"name": name, "kind": _kind(name), "series": series}


def _series(label: str, arm: int, thin: bool, steps: np.ndarray, values: np.ndarray) -> Json:
    kept = thinned(steps, values.astype(np.float64), BUCKETS)
    return {
        "label": label,
        "arm": arm,
        "thin": thin,
        "x": steps[kept].tolist(),
        "y": [_rounded(value) for value in values[kept].tolist()],
    }


def _rounded(value: float) -> float | None:
    return float(f"{value:.5g}") if np.isfinite(value) else None


def _panel(axis: Axis, curves: Curves, arm_of: dict[str, int]) -> Json:
    """Return the scores of one axis: as curves, and the last of each run."""
    last = [(name, records[-1]) for name, records in curves.items()]
    return {
        "title": axis.title,
        "protocol": str(axis.provenance),
        "series": [
            {
                "label": name,
                "arm": arm_of[name],
                "thin": sum(arm_of[other] == arm_of[name] for other in curves) > 1,
                "x": [record.step for record in records],
                "y": [_rounded(record.value) for record in records],
            }
            for name, records in curves.items()
        ],
        "last": [[name, str(record.step), _value(record)] for name, record in last],
    }


def _value(record: Record) -> str:
    return f"{record.value:.5g}" + ("" if record.std is None else f" ± {record.std:.3g}")


def _run_as_json(run: Run, arm: int) -> Json:
    notes = [f"{run.rejected} lines of metrics.jsonl are unreadable"] if run.rejected else []
    return {
        "name": run.name,
        "arm": arm,
        "seed": run.seed,
        "iterations": run.last,
        "entries": len(run.steps),
        "operator": run.settings["generator"]["graph_layer"]["operator"]["name"],
        "data": run.settings["data"]["name"],
        "time": _time(run),
        "speed": _median(run, SPEED),
        "memory": _peak(run),
        "notes": "; ".join(notes),
    }


def _time(run: Run) -> str:
    """Return the time in the compiled step: the iterations of each entry over its speed."""
    speeds = run.metrics.get(SPEED)
    if speeds is None:
        return "-"
    seconds = np.nansum(np.diff(run.steps, prepend=0) / speeds)
    return str(timedelta(seconds=round(float(seconds)))) if np.isfinite(seconds) else "-"


def _median(run: Run, metric: str) -> str:
    values = run.metrics.get(metric)
    return "-" if values is None else f"{np.nanmedian(values):.3g}"


def _peak(run: Run) -> str:
    values = run.metrics.get(MEMORY)
    return "-" if values is None else f"{np.nanmax(values):.2f} GiB"
