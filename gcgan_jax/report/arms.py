"""Runs by arm: runs of one arm differ only in their seeds."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gcgan_jax.config.compatibility import differences
from gcgan_jax.report.workdirs import Run

SEED = re.compile(r"[\W_]*(seed)?[\W_]*$")


@dataclass(frozen=True)
class Arm:
    """Runs that differ only in their seeds, or in fields that may change on resume."""

    name: str
    runs: list[Run]

    def mean(self, metric: str) -> tuple[np.ndarray, np.ndarray] | None:
        """Return steps that all seeds logged and the mean of a metric there; None for one seed."""
        runs = [run for run in self.runs if metric in run.metrics]
        if len(runs) < 2:
            return None
        steps = runs[0].steps
        for run in runs[1:]:
            steps = steps[np.isin(steps, run.steps)]
        if not len(steps):
            return None
        values = [run.metrics[metric][np.searchsorted(run.steps, steps)] for run in runs]
        return steps, np.mean(values, axis=0)


def arms_of(runs: Sequence[Run]) -> list[Arm]:
    """Group runs by arm, in the order in which they were given."""
    by_arm: dict[str, list[Run]] = {}
    for run in runs:
        by_arm.setdefault(run.arm, []).append(run)
    short = [_shared_name(of) for of in by_arm.values()]
    return [
        Arm(name if name and short.count(name) == 1 else _long_name(of), of)
        for name, of in zip(short, by_arm.values(), strict=True)
    ]


def _shared_name(runs: Sequence[Run]) -> str:
    """Return what the names of an arm's runs begin with, without "seed" at its end."""
    if len(runs) == 1:
        return runs[0].name
    shared = os.path.commonprefix([run.name for run in runs])  # noqa: RUF071 (of characters)
    return SEED.sub("", shared)


def _long_name(runs: Sequence[Run]) -> str:
    return runs[0].name if len(runs) == 1 else f"{runs[0].name} and {len(runs) - 1} more"


def config_table(arms: Sequence[Arm]) -> list[tuple[str, list[str]]]:
    """Return the fields in which arms differ, and each arm's value; its seeds' values if several.

    Fields that older runs lack have no value.
    """
    settings = [run.settings for arm in arms for run in arm.runs]
    fields = dict.fromkeys(field for other in settings for field in differences(settings[0], other))
    return [(field, [_values(arm, field) for arm in arms]) for field in sorted(fields)]


def _values(arm: Arm, field: str) -> str:
    return ", ".join(dict.fromkeys(_text(_get(run.settings, field)) for run in arm.runs))


def _get(values: Any, field: str) -> Any:
    for name in field.split("."):
        values = values.get(name) if isinstance(values, Mapping) else None
    return values


def _text(value: Any) -> str:
    return "-" if value is None else str(value)
