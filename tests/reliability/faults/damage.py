"""Corrupted checkpoints and metrics, non-finite numbers and a wrong clock."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tests.program import ended
from tests.reliability.faults.runs import PERIOD, Runs, Trial, Trials

Corrupt = Callable[[Path, np.random.Generator], None]
NEWEST = 3 * PERIOD


def _some_file(step: Path, rng: np.random.Generator) -> Path:
    files = [path for path in sorted(step.rglob("*")) if path.is_file() and path.stat().st_size]
    return files[rng.integers(len(files))]


def truncate(step: Path, rng: np.random.Generator) -> None:
    path = _some_file(step, rng)
    stored = path.read_bytes()
    path.write_bytes(stored[: rng.integers(len(stored))])


def remove_file(step: Path, rng: np.random.Generator) -> None:
    _some_file(step, rng).unlink()


def empty(step: Path, rng: np.random.Generator) -> None:
    shutil.rmtree(step)
    step.mkdir()


def flip_byte(step: Path, rng: np.random.Generator) -> None:
    path = _some_file(step, rng)
    stored = bytearray(path.read_bytes())
    stored[rng.integers(len(stored))] ^= rng.integers(1, 256)
    path.write_bytes(stored)


def newest_corrupted(corrupt: Corrupt) -> Trials:
    def trials(runs: Runs, times: int) -> Iterator[Trial]:
        rng = np.random.default_rng(2)
        for _ in range(times):
            workdir = runs.copy_reference(runs.directory / "corrupted", NEWEST)
            corrupt(workdir / "checkpoints" / str(NEWEST), rng)
            code, out, err = runs.finish(workdir, until=NEWEST)
            messages = [line for line in out.splitlines() if "cannot be used" in line]
            resumed = f"resuming at iteration {NEWEST - PERIOD} of" in out
            survived = (code, err, len(messages)) == (0, "", 1) and resumed
            yield Trial(
                survived and runs.same_run(workdir, NEWEST), runs.without_paths("; ".join(messages))
            )

    return trials


def all_corrupted(*corruptions: Corrupt) -> Trials:
    """Damage as many checkpoints as there are corruptions, which are all that there are."""

    def trials(runs: Runs, times: int) -> Iterator[Trial]:
        rng = np.random.default_rng(3)
        for _ in range(times):
            workdir = runs.copy_reference(runs.directory / "corrupted", len(corruptions) * PERIOD)
            for corrupt, step in zip(corruptions, (workdir / "checkpoints").iterdir(), strict=True):
                corrupt(step, rng)
            yield _refused(runs, workdir)

    return trials


def _refused(runs: Runs, workdir: Path) -> Trial:
    """Start a run that should stop with one line, touching nothing."""
    before = _contents(workdir)
    code, out, err = runs.finish(workdir)
    untouched = _contents(workdir) == before and "compiling" not in out
    return Trial(code == 1 and untouched and err.count("\n") == 1, runs.message(err))


def _contents(workdir: Path) -> dict[Path, bytes]:
    files = (path for path in workdir.rglob("*") if path.is_file() and path.name != "lock")
    return {path: path.read_bytes() for path in files}


def newest_copied(copy: Callable[[Path], object]) -> Trials:
    """Copy or link the newest checkpoint under another name; the copy is not used."""

    def trials(runs: Runs, times: int) -> Iterator[Trial]:
        for _ in range(times):
            workdir = runs.copy_reference(runs.directory / "copied", NEWEST)
            copy(workdir / "checkpoints" / str(NEWEST))
            code, out, err = runs.finish(workdir, until=NEWEST + PERIOD)
            messages = [line for line in out.splitlines() if "cannot be used" in line]
            resumed = f"resuming at iteration {NEWEST} of" in out
            survived = (code, err, len(messages)) == (0, "", 1) and resumed
            yield Trial(
                survived and runs.same_run(workdir, NEWEST + PERIOD),
                runs.without_paths("; ".join(messages)),
            )

    return trials


def copied_to(name: str) -> Callable[[Path], object]:
    return lambda step: shutil.copytree(step, step.with_name(name))


def linked_from(name: str) -> Callable[[Path], object]:
    return lambda step: step.with_name(name).symlink_to(step.name)


def checkpoint_of_another_seed(runs: Runs, times: int) -> Iterator[Trial]:
    other = runs.directory / "other-seed"
    if not other.exists():
        runs.finish(other, "--config.seed=1", until=PERIOD)
    for _ in range(times):
        workdir = runs.copy_reference(runs.directory / "foreign", 2 * PERIOD)
        shutil.rmtree(workdir / "checkpoints" / str(PERIOD))
        shutil.copytree(other / "checkpoints" / str(PERIOD), workdir / "checkpoints" / str(PERIOD))
        yield _refused(runs, workdir)


def config_missing(runs: Runs, times: int) -> Iterator[Trial]:
    for _ in range(times):
        workdir = runs.copy_reference(runs.directory / "nameless", NEWEST)
        (workdir / "config.json").unlink()
        yield _refused(runs, workdir)


def not_finite(fault: str, quantity: str) -> Trials:
    """Inject a non-finite value three iterations after the newest checkpoint, then resume without.

    The norm of infinite gradients is infinite or, as some cancel, NaN.
    """

    def trials(runs: Runs, times: int) -> Iterator[Trial]:
        for _ in range(times):
            workdir = runs.copy_reference(runs.directory / "poisoned", NEWEST)
            iteration = NEWEST + 3
            process = runs.start(workdir, fault=f"{fault}:{iteration}")
            code, _, err = ended(process)
            stopped = f"stopped in iteration {iteration}: {quantity} is "
            remains = f"; the checkpoint of iteration {NEWEST} remains"
            messages = (f"{stopped}{value}{remains}" for value in ("nan", "inf"))
            survived = code == 1 and any(line in err for line in messages)
            code, out, _ = runs.finish(workdir, until=NEWEST + PERIOD)
            survived &= code == 0 and f"the previous run {stopped}" in out
            yield Trial(survived and runs.same_run(workdir, NEWEST + PERIOD), runs.message(err))

    return trials


def clock_set_back(runs: Runs, times: int) -> Iterator[Trial]:
    for _ in range(times):
        workdir = runs.copy_reference(runs.directory / "yesterday", NEWEST)
        process = runs.start(workdir, until=NEWEST + PERIOD, fault=f"clock:{24 * 3600}")
        code, _, err = ended(process)
        code_now, _, err_now = runs.finish(workdir, until=NEWEST + 2 * PERIOD)
        survived = (code, err, code_now, err_now) == (0, "", 0, "")
        yield Trial(survived and runs.same_run(workdir, NEWEST + 2 * PERIOD), "no message")


def metrics_truncated(runs: Runs, times: int) -> Iterator[Trial]:
    """Truncate in the middle of a line, after entries beyond the newest checkpoint."""
    rng = np.random.default_rng(4)
    for _ in range(times):
        workdir = runs.copy_reference(runs.directory / "cut", NEWEST)
        path = workdir / "metrics.jsonl"
        lines = path.read_text().splitlines(keepends=True)
        text = "".join(lines[: NEWEST // PERIOD + 3])
        path.write_text(text[: len(text) - rng.integers(2, len(lines[0]))])
        code, _, err = runs.finish(workdir, until=NEWEST + 2 * PERIOD)
        survived = (code, err) == (0, "")
        yield Trial(survived and runs.same_run(workdir, NEWEST + 2 * PERIOD), "no message")
