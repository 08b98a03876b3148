"""Full and read-only disks, and workdirs that are in use."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.program import ended, reach
from tests.reliability.faults.runs import PERIOD, Runs, Trial, Trials, finished

NEWEST = 2 * PERIOD


@contextmanager
def small_disk(directory: Path) -> Iterator[Path]:
    """Mount a separate file system, in memory; needs root."""
    directory.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", directory], check=True)
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", directory], check=True)


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Fill a disk to the last byte."""
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


def disk_full(*flags: str) -> Trials:
    """Fill the disk before the first write of a resumed run, whose kind the flags determine."""

    def trials(runs: Runs, times: int) -> Iterator[Trial]:
        for _ in range(times):
            with small_disk(runs.directory / "small") as disk:
                workdir = runs.copy_reference(disk / "run", NEWEST)
                process = runs.start(workdir, *flags)
                reach(process, "compiled in")
                with filled(disk):
                    code, _, err = ended(process)
                survived = code == 1 and "No space left" in err and runs.same_state(workdir, NEWEST)
                code, out, _ = runs.finish(workdir, until=NEWEST + PERIOD)
                survived &= code == 0 and f"resuming at iteration {NEWEST} " in out
                yield Trial(survived and runs.same_run(workdir, NEWEST + PERIOD), runs.message(err))

    return trials


def _refused(code: int, out: str, err: str) -> bool:
    """Return whether the program exited with one line, before compiling anything."""
    return code == 1 and "compiling" not in out and err.count("\n") == 1


def disk_read_only(runs: Runs, times: int) -> Iterator[Trial]:
    for _ in range(times):
        with small_disk(runs.directory / "small") as disk:
            workdir = runs.copy_reference(disk / "run", NEWEST)
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
            code, out, err = runs.finish(workdir)
            subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
            survived = _refused(code, out, err)
            code, _, _ = runs.finish(workdir, until=NEWEST + PERIOD)
            same = code == 0 and runs.same_run(workdir, NEWEST + PERIOD)
            yield Trial(survived and same, runs.message(err))


def workdir_is_a_file(runs: Runs, times: int) -> Iterator[Trial]:
    for _ in range(times):
        workdir = runs.new_workdir("file")
        workdir.write_text("mine")
        code, out, err = runs.finish(workdir)
        survived = _refused(code, out, err) and workdir.read_text() == "mine"
        workdir.unlink()
        yield Trial(survived, runs.message(err))


def workdir_in_use(runs: Runs, times: int) -> Iterator[Trial]:
    """Start a second process while the first trains; then kill the first, which leaves its lock."""
    for _ in range(times):
        workdir = runs.new_workdir("shared")
        first = runs.start(workdir)
        reach(first, "iterations/s")
        code, out, err = runs.finish(workdir)
        survived = _refused(code, out, err) and f"process {first.pid} on " in err
        reach(first, f" {NEWEST + PERIOD}/")  # still trains
        first.kill()
        first.communicate()
        until = max(finished(workdir)) + PERIOD
        code, _, _ = runs.finish(workdir, until=until)
        yield Trial(
            survived and code == 0 and runs.same_run(workdir, until),
            runs.message(err).replace(str(first.pid), "PID"),
        )
