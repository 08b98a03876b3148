"""Checkpoints, numbers and clocks that are not as they should be."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tests.program import ended
from tests.reliability.faults.runs import PERIOD, Runs, Trial, Trials

Harm = Callable[[Path, np.random.Generator], None]
NEWEST = 3 * PERIOD


def _some_file(step: Path, random: np.random.Generator) -> Path:
    files = [path for path in sorted(step.rglob("*")) if path.is_file() and path.stat().st_size]
    return files[random.integers(len(files))]


def truncate(step: Path, random: np.random.Generator) -> None:
    path = _some_file(step, random)
    stored = path.read_bytes()
    path.write_bytes(stored[: random.integers(len(stored))])


def remove_a_file(step: Path, random: np.random.Generator) -> None:
    _some_file(step, random).unlink()


def empty(step: Path, random: np.random.Generator) -> None:
    shutil.rmtree(step)
    step.mkdir()


def flip_a_byte(step: Path, random: np.random.Generator) -> None:
    path = _some_file(step, random)
    stored = bytearray(path.read_bytes())
    stored[random.integers(len(stored))] ^= random.integers(1, 256)
    path.write_bytes(stored)


def newest_is_harmed(harm: Harm) -> Trials:
    def trials(runs: Runs, times: int) -> Iterator[Trial]:
        random = np.random.default_rng(2)
        for _ in range(times):
            workdir = runs.copy(runs.directory / "harmed", NEWEST)
            harm(workdir / "checkpoints" / str(NEWEST), random)
            code, out, err = runs.whole(workdir, until=NEWEST)
            told = [line for line in out.splitlines() if "cannot be used" in line]
            good = f"resuming at iteration {NEWEST - PERIOD} of" in out
            survived = (code, err, len(told)) == (0, "", 1) and good
            yield Trial(survived and runs.same(workdir, NEWEST), runs.shown("; ".join(told)))

    return trials


def all_are_harmed(runs: Runs, times: int) -> Iterator[Trial]:
    random = np.random.default_rng(3)
    for _ in range(times):
        workdir = runs.copy(runs.directory / "harmed", NEWEST)
        for step in (workdir / "checkpoints").iterdir():
            flip_a_byte(step, random)
        before = _contents(workdir)
        code, out, err = runs.whole(workdir)
        untouched = _contents(workdir) == before and "compiling" not in out
        yield Trial(code == 1 and untouched, runs.told(err))


def _contents(workdir: Path) -> dict[Path, bytes]:
    files = (path for path in (workdir / "checkpoints").rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files}


def not_finite(fault: str, quantity: str) -> Trials:
    """Three iterations after the newest checkpoint; the next start has the fault no more.

    Of infinite gradients, the norm over all is infinite or, as some cancel, no number.
    """

    def trials(runs: Runs, times: int) -> Iterator[Trial]:
        for _ in range(times):
            workdir = runs.copy(runs.directory / "poisoned", NEWEST)
            iteration = NEWEST + 3
            process = runs.start(workdir, fault=f"{fault}:{iteration}")
            code, _, err = ended(process)
            stopped = f"stopped in iteration {iteration}: {quantity} is "
            remains = f"; the checkpoint of iteration {NEWEST} remains"
            told = (f"{stopped}{value}{remains}" for value in ("nan", "inf"))
            survived = code == 1 and any(line in err for line in told)
            code, out, _ = runs.whole(workdir, until=NEWEST + PERIOD)
            survived &= code == 0 and f"the run before {stopped}" in out
            yield Trial(survived and runs.same(workdir, NEWEST + PERIOD), runs.told(err))

    return trials


def clock_is_set_back(runs: Runs, times: int) -> Iterator[Trial]:
    for _ in range(times):
        workdir = runs.copy(runs.directory / "yesterday", NEWEST)
        process = runs.start(workdir, until=NEWEST + PERIOD, fault=f"clock:{24 * 3600}")
        code, _, err = ended(process)
        code_now, _, err_now = runs.whole(workdir, until=NEWEST + 2 * PERIOD)
        survived = (code, err, code_now, err_now) == (0, "", 0, "")
        yield Trial(survived and runs.same(workdir, NEWEST + 2 * PERIOD), "nothing but its rows")


def metrics_are_cut(runs: Runs, times: int) -> Iterator[Trial]:
    """In the middle of a line, after rows beyond the newest checkpoint."""
    random = np.random.default_rng(4)
    for _ in range(times):
        workdir = runs.copy(runs.directory / "cut", NEWEST)
        path = workdir / "metrics.jsonl"
        lines = path.read_text().splitlines(keepends=True)
        kept = "".join(lines[: NEWEST // PERIOD + 3])
        path.write_text(kept[: len(kept) - random.integers(2, len(lines[0]))])
        code, _, err = runs.whole(workdir, until=NEWEST + 2 * PERIOD)
        survived = (code, err) == (0, "")
        yield Trial(survived and runs.same(workdir, NEWEST + 2 * PERIOD), "nothing but its rows")
