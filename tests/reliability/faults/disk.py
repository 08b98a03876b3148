"""Disks that are full or cannot be written, and workdirs that are taken."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.program import ended, reach
from tests.reliability.faults.runs import PERIOD, Runs, Trial, Trials, finished

NEWEST = 2 * PERIOD


@contextmanager
def small_disk(directory: Path) -> Iterator[Path]:
    """A file system of its own, in memory; mounting it needs root."""
    directory.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", directory], check=True)
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", directory], check=True)


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """To the last byte."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (2**20, 2**12, 1):
            try:
                while file.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue
    yield
    filler.unlink()


def disk_is_full(*first: str) -> Trials:
    """Before the first write of a resumed run, which the flags `first` choose."""

    def trials(runs: Runs, times: int) -> Iterator[Trial]:
        for _ in range(times):
            with small_disk(runs.directory / "small") as disk:
                workdir = runs.copy(disk / "run", NEWEST)
                process = runs.start(workdir, *first)
                reach(process, "compiled in")
                with filled(disk):
                    code, _, err = ended(process)
                survived = code == 1 and "No space left" in err and runs.same_state(workdir, NEWEST)
                code, out, _ = runs.whole(workdir, until=NEWEST + PERIOD)
                survived &= code == 0 and f"resuming at iteration {NEWEST} " in out
                yield Trial(survived and runs.same(workdir, NEWEST + PERIOD), runs.told(err))

    return trials


def _refused(code: int, out: str, err: str) -> bool:
    """In one line, before anything was compiled."""
    return code == 1 and "compiling" not in out and err.count("\n") == 1


def disk_is_read_only(runs: Runs, times: int) -> Iterator[Trial]:
    for _ in range(times):
        with small_disk(runs.directory / "small") as disk:
            workdir = runs.copy(disk / "run", NEWEST)
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
            code, out, err = runs.whole(workdir)
            subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
            survived = _refused(code, out, err)
            code, _, _ = runs.whole(workdir, until=NEWEST + PERIOD)
            same = code == 0 and runs.same(workdir, NEWEST + PERIOD)
            yield Trial(survived and same, runs.told(err))


def a_file_is_in_its_place(runs: Runs, times: int) -> Iterator[Trial]:
    for _ in range(times):
        workdir = runs.fresh("file")
        workdir.write_text("mine")
        code, out, err = runs.whole(workdir)
        survived = _refused(code, out, err) and workdir.read_text() == "mine"
        workdir.unlink()
        yield Trial(survived, runs.told(err))


def two_in_one_workdir(runs: Runs, times: int) -> Iterator[Trial]:
    """The second comes while the first trains; then the first is killed, and leaves its lock."""
    for _ in range(times):
        workdir = runs.fresh("shared")
        first = runs.start(workdir)
        reach(first, "iterations/s")
        code, out, err = runs.whole(workdir)
        survived = _refused(code, out, err) and f"process {first.pid} on " in err
        reach(first, f" {NEWEST + PERIOD}/")  # goes on
        first.kill()
        first.communicate()
        until = max(finished(workdir)) + PERIOD
        code, _, _ = runs.whole(workdir, until=until)
        yield Trial(
            survived and code == 0 and runs.same(workdir, until),
            runs.told(err).replace(str(first.pid), "PID"),
        )
