"""Runs as they are stored in their workdirs, read for a report; others are named with a reason.

n entries of a run.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from gcgan_jax.config.compatibility import digest
from gcgan_jax.config.schema import from_mapping
from gcgan_jax.errors import UserError, one_line
from gcgan_jax.evaluation.results import SCORES, Record, read_records
from gcgan_jax.runtime.printable import escaped
from gcgan_jax.storage.metrics_log import FILE, Entry, read_entries
from gcgan_jax.storage.workdir import CONFIG, holds_run, read_settings

LARGE = 2**25  # bytes of metrics from which on several processes read them
MOST = 8  # such processes, each of which holds the entries of a run


@dataclass(frozen=True)
class Run:
    """A run that has something to show.

    Attributes:
        name: its workdir, below the directory that all share.
        settings: its config, as a nested mapping.
        steps: iterations of its entries, [n].
        metrics: values by name, float32 [n]; NaN where an entry has none or one not finite.
        records: its scores.
        rejected: number of lines of metrics.jsonl that are no entries.
    """

    name: str
    workdir: Path
    settings: dict[str, Any]
    steps: np.ndarray
    metrics: dict[str, np.ndarray]
    records: list[Record]
    rejected: int

    @property
    def seed(self) -> int:
        return int(self.settings["seed"])

    @property
    def last(self) -> int:
        """The last iteration that was logged."""
        return int(self.steps[-1])

    @property
    def arm(self) -> str:
        """What runs that differ only in their seeds share."""
        return digest(self.settings | {"seed": 0})


@dataclass(frozen=True)
class Omitted:
    """A workdir that is left out, and why."""

    name: str
    reason: str


def read_runs(workdirs: Sequence[Path], *, unfinished: bool) -> tuple[list[Run], list[Omitted]]:
    """Read all workdirs, in their order; each counts once.

    Args:
        unfinished: whether to keep runs that have not reached config.num_iterations.
    """
    unique = list({os.path.realpath(path): path for path in workdirs}.values())
    jobs = [(name, path, unfinished) for name, path in zip(names(unique), unique, strict=True)]
    read = list(_map(jobs, unique))
    runs = [run for run in read if isinstance(run, Run)]
    return runs, [run for run in read if isinstance(run, Omitted)]


def names(workdirs: Sequence[Path]) -> list[str]:
    """Name each workdir by its path below the deepest directory that holds all of them."""
    paths = [os.path.realpath(path) for path in workdirs]
    parents = [os.path.dirname(path) for path in paths]
    shared = os.path.commonpath(parents) if parents else ""
    return [escaped(os.path.relpath(path, shared)) for path in paths]


def read_run(name: str, workdir: Path, unfinished: bool) -> Run | Omitted:
    if not holds_run(workdir):
        return Omitted(name, f"no run: there is no {escaped(str(workdir / CONFIG))}")
    try:
        settings = read_settings(workdir)
        num_iterations = from_mapping(settings).num_iterations
        stored = read_entries(workdir)
        records = read_records(workdir / SCORES)
    except (UserError, OSError) as error:
        return Omitted(name, escaped(one_line(error)))
    if not stored.rows:
        return Omitted(name, f"{escaped(str(workdir / FILE))} has no entries: nothing was trained")
    steps, metrics = columns(stored.rows)
    run = Run(name, workdir, settings, steps, metrics, records, len(stored.rejected))
    if run.last < num_iterations and not unfinished:
        return Omitted(name, f"at iteration {run.last} of {num_iterations}: add --unfinished")
    return run


def columns(entries: Sequence[Entry]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return steps, ascending, and the values of each metric; NaN where there is none."""
    ordered = sorted(entries, key=lambda entry: entry["step"])
    known = dict.fromkeys(chain.from_iterable(ordered))
    del known["step"]
    steps = np.array([entry["step"] for entry in ordered], np.int64)
    of_all = chain.from_iterable(map(entry.get, known) for entry in ordered)  # row by row
    values = np.fromiter(of_all, np.float32, len(ordered) * len(known))
    by_metric = values.reshape(len(ordered), len(known)).T
    return steps, dict(zip(known, by_metric, strict=True))


def _map(
    jobs: Sequence[tuple[str, Path, bool]], workdirs: Sequence[Path]
) -> Iterator[Run | Omitted]:
    if sum(map(_size, workdirs)) < LARGE:
        yield from (read_run(*job) for job in jobs)
        return
    processes = min(len(jobs), os.cpu_count() or 1, MOST)
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        yield from pool.map(read_run, *zip(*jobs, strict=True))


def _size(workdir: Path) -> int:
    try:
        return (workdir / FILE).stat().st_size
    except OSError:
        return 0
