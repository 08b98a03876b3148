"""Ablations of what trainings left: `--mode=ablate`, shortened."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.study import gan
from scripts.study.jobs import Job

KEPT = ("agreement", "diagonal_correlation", "classifier_score", "structure_error")
SHOWN_DISTANCES = 8  # edges by distance, in pixels, and those further away


def commands(job: Job, root: Path, flags: Sequence[str]) -> list[list[str]]:
    """Return the command lines that train, unless that is done, and ablate; see `gan.commands`."""
    (train,) = gan.commands(job, root, flags)
    return [train, [*train, "--mode=ablate"]]


def result(job: Job, root: Path) -> dict[str, Any] | None:
    """Return the result of a job; None before it is finished."""
    path = job.workdir(root) / f"ablation-{job.settings['num_iterations']:07}.json"
    return shortened(json.loads(path.read_text())) if path.exists() else None


def shortened(measured: Mapping[str, Any]) -> dict[str, Any]:
    """Shorten what `--mode=ablate` wrote: [value, difference, error] by statistics, rule, score."""
    rules: dict[str, Any] = {}
    for row in measured["rules"]:
        rules.setdefault(row["batch_norm"], {})[row["rule"]] = {
            name: [score["value"], score["difference"], score["error"]]
            for name, score in row["scores"].items()
            if name in KEPT
        }
    layers = {
        layer: {
            name: value[:SHOWN_DISTANCES] if name.endswith("_by_distance") else value
            for name, value in measures.items()
        }
        for layer, measures in measured["layers"].items()
    }
    return {"images": measured["images"], "rules": rules, "layers": layers}
