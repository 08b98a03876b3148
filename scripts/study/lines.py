"""The results file: one JSON object a line for each finished job."""

import math
import os
import platform
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gcgan_jax.evaluation.results import versions
from gcgan_jax.storage.json_lines import append_json_lines, read_json_lines
from scripts.study.jobs import Job, Results

DIGITS = 5  # significant ones of all numbers

Line = dict[str, Any]


def read_lines(path: Path) -> list[Line]:
    """Read all lines; of several with the same identity, the first counts.

    Raises:
        UserError: the path is no regular file.
    """
    return read_json_lines(path, _parse, _identity).rows


def results_of(jobs: Iterable[Job], lines: Iterable[Line]) -> dict[Job, Line]:
    """Return the line of each finished job; those of other settings are not its results."""
    by_identity = {_identity(line): line for line in lines}
    return {job: by_identity[job.identity] for job in jobs if job.identity in by_identity}


def as_results(finished: Mapping[Job, Line]) -> Results:
    """Return the results by job, with `cpu_seconds` where they can be compared within a run.

    They are those of jobs that one session did, on the type of machine that did most of the run.
    """
    machines: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for job, line in finished.items():
        machines[job.run][line["machine"]] += 1
    usual = {run: types.most_common(1)[0][0] for run, types in machines.items()}

    def result(job: Job, line: Line) -> Mapping[str, Any]:
        whole = "cpu_seconds" in line and not line["resumed"]
        timed = whole and line["machine"] == usual[job.run]
        return line["result"] | ({"cpu_seconds": line["cpu_seconds"]} if timed else {})

    return Results({(j.run, j.arm, j.seed): result(j, line) for j, line in finished.items()})


def make_line(
    job: Job, result: Mapping[str, Any], seconds: float, cpu_seconds: float, *, resumed: bool
) -> Line:
    """Describe a finished job.

    Args:
        seconds: duration of the session that finished it, pauses included.
        cpu_seconds: CPU time that it took in that session.
        resumed: whether earlier sessions had begun it.
    """
    return {
        "run": job.run,
        "arm": job.arm,
        "seed": job.seed,
        "kind": job.kind,
        "settings": dict(job.settings),
        "versions": versions(),
        "machine": cpu(),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu_seconds, 1),
        "resumed": resumed,
        "result": rounded(result),
    }


def append_line(path: Path, line: Line) -> None:
    append_json_lines(path, [line])


def cpu() -> str:
    """Return the model of this machine's CPU."""
    info = Path("/proc/cpuinfo")
    for line in info.read_text().splitlines() if info.exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def cores() -> list[int]:
    """Return the numbers of the cores that this process may use."""
    return sorted(os.sched_getaffinity(0))


def rounded(value: Any) -> Any:
    """Round all numbers of a JSON value to DIGITS significant digits; those not finite are None."""
    if isinstance(value, Mapping):
        return {name: rounded(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(inner) for inner in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value


def _parse(line: Line) -> Line:
    names = ("run", "arm", "seed", "kind", "settings", "machine", "result")
    if not all(name in line for name in names):
        raise ValueError("not a line of the study")
    return line


def _identity(line: Line) -> tuple[str, ...]:
    fields = {name: line[name] for name in ("run", "arm", "seed", "kind", "settings")}
    return Job(**fields, minutes=0).identity
