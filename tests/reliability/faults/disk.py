"""Full and read-only disks, and workdirs that are in use."""

import subprocess
from collections.abc import Callable, Iterator
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
def filled(disk: Path, left: int = 0) -> Iterator[None]:
    """Fill a disk, but for some bytes."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (2**20, 2**12, 1):
            try:
                while file.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue
        file.truncate(max(file.tell() - left, 0))
    yield
    filler.unlink()


def disk_full(*flags: str, left: tuple[int, ...] = (0,)) -> Trials:
    """Fill the disk before the first write of a resumed run, whose kind the flags determine.

    Args:
        left: bytes that are left free, in turn.
    """

    def trials(runs: Runs, times: int) -> Iterator[Trial]:
        for trial in range(times):
            with small_disk(runs.directory / "small") as disk:
                workdir = runs.copy_reference(disk / "run", NEWEST)
                process = runs.start(workdir, *flags)
                reach(process, "compiled in")
                with filled(disk, left[trial % len(left)]):
                    code, _, err = ended(process)
                survived = code == 1 and "No space left" in err and err.count("\n") == 1
                yield _resumed(runs, workdir, survived, runs.message(err))

    return trials


def _resumed(runs: Runs, workdir: Path, survived: bool, seen: str) -> Trial:
    """Resume a run for a while, from NEWEST or a later checkpoint."""
    newest = max(finished(workdir), default=0)
    code, out, _ = runs.finish(workdir, until=newest + PERIOD)
    survived &= code == 0 and newest >= NEWEST and f"resuming at iteration {newest} " in out
    return Trial(survived and runs.same_run(workdir, newest + PERIOD), seen)


def file_size_limited(*flags: str, kib: int) -> Trials:
    """Limit the size of the program's files."""

    def trials(runs: Runs, times: int) -> Iterator[Trial]:
        shell = ("bash", "-c", f'ulimit -f {kib}; exec "$@"', "bash")
        for _ in range(times):
            workdir = runs.copy_reference(runs.directory / "limited", NEWEST)
            code, _, err = ended(runs.start(workdir, *flags, prefix=shell))
            survived = code == 1 and err.count("\n") == 1
            yield _resumed(runs, workdir, survived, runs.message(err))

    return trials


def workdir_gone(remove: Callable[[Path], object]) -> Trials:
    """Move or delete the workdir of a run."""

    def trials(runs: Runs, times: int) -> Iterator[Trial]:
        for _ in range(times):
            parent = runs.new_workdir("gone")
            workdir = runs.copy_reference(parent / "run", NEWEST)
            process = runs.start(workdir)
            reach(process, "iterations/s")
            remove(workdir)
            code, _, err = ended(process)
            survived = code == 1 and err.count("\n") == 1 and not workdir.exists()
            moved = workdir.with_name("moved")
            if moved.exists():
                yield _resumed(runs, moved, survived, runs.message(err))
            else:
                yield Trial(survived, runs.message(err))

    return trials


def move(workdir: Path) -> None:
    workdir.rename(workdir.with_name("moved"))


def hostile_name(runs: Runs, times: int) -> Iterator[Trial]:
    """Kill and resume runs in workdirs with names that shells and libraries may expand."""
    names = ("run[lr=1]", "run *", "{a,b}", "-run", "rün", "run?", "$HOME", "a'b\"c")
    for trial in range(times):
        workdir = runs.new_workdir("named") / names[trial % len(names)]
        workdir.mkdir(parents=True)
        process = runs.start(workdir)
        reach(process, f" {3 * PERIOD}/")
        process.kill()
        process.communicate()
        newest = max(finished(workdir))
        code, out, err = runs.finish(workdir, until=newest + PERIOD)
        survived = (code, err) == (0, "") and f"resuming at iteration {newest} of" in out
        yield Trial(survived and runs.same_run(workdir, newest + PERIOD), "no message")


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
