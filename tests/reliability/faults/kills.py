"""Processes that are killed or stopped by a signal."""

import os
import pty
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from subprocess import Popen

import numpy as np

from tests.program import ended, reach
from tests.reliability.faults.runs import PERIOD, Runs, Trial, Trials, finished


def kill_at_random(runs: Runs, times: int) -> Iterator[Trial]:
    """Kill one run repeatedly while it starts or trains, then let it finish."""
    rng = np.random.default_rng(0)
    longest = runs.startup_seconds() + 3
    workdir = runs.new_workdir("killed")
    kills = 0
    while kills < times:
        process = runs.start(workdir)
        time.sleep(rng.uniform(0, longest))
        if process.poll() is not None:
            break  # it finished before
        process.kill()
        process.communicate()
        kills += 1
    code, _, err = runs.finish(workdir)
    survived = code == 0 and err == "" and runs.same_run(workdir, runs.iterations)
    for _ in range(kills):
        yield Trial(survived, "`resuming at iteration N`; final parameters equal bit for bit")


def kill_while_saving(keep: int) -> Trials:
    """Kill while a checkpoint is written, finished, or an older one deleted."""

    def trials(runs: Runs, times: int) -> Iterator[Trial]:
        rng = np.random.default_rng(keep)
        workdir, kept = (
            runs.new_workdir(f"unfinished{keep}"),
            f"--config.checkpoints_to_keep={keep}",
        )
        for _ in range(times):
            newest = _kill_during_save(runs, workdir, rng, kept)
            code, out, err = runs.finish(workdir, kept, until=newest + PERIOD)
            resumed = newest == 0 or f"resuming at iteration {newest} of" in out
            yield Trial(
                (code, err) == (0, "") and resumed and runs.same_run(workdir, newest + PERIOD),
                "`resuming at iteration N`; final parameters equal bit for bit",
            )
            if newest + 20 * PERIOD >= runs.iterations:
                shutil.rmtree(workdir)

    return trials


def _kill_during_save(runs: Runs, workdir: Path, rng: np.random.Generator, flag: str) -> int:
    """Kill while there is an incomplete checkpoint; return the iteration of the newest one."""
    while True:
        process = runs.start(workdir, flag)
        while process.poll() is None:
            time.sleep(1e-3)
            if any((workdir / "checkpoints").glob("*.part")):
                time.sleep(rng.uniform(0, 0.03))
                process.kill()
                break
        process.communicate()
        if any((workdir / "checkpoints").glob("*.part")):
            return max(finished(workdir), default=0)
        if process.returncode == 0:
            raise RuntimeError("no incomplete checkpoint was left")


def stop_training(number: signal.Signals) -> Trials:
    def trials(runs: Runs, times: int) -> Iterator[Trial]:
        for _ in range(times):
            workdir = runs.new_workdir("stopped")
            process = runs.start(workdir)
            reach(process, "iterations/s")
            yield _stopped(runs, process, workdir, number)

    return trials


def stop_scoring(runs: Runs, times: int) -> Iterator[Trial]:
    for _ in range(times):
        workdir = runs.new_workdir("scoring")
        scored = [f"--config.eval_every={PERIOD}", "--config.eval.protocol=standard"]
        process = runs.start(workdir, *scored)
        reach(process, "50000 images")
        yield _stopped(runs, process, workdir, signal.SIGTERM)


def _stopped(
    runs: Runs,
    process: Popen[str],
    workdir: Path,
    number: signal.Signals,
    first: signal.Signals | None = None,
) -> Trial:
    """Send a signal, which may not be the first, and check that the run is saved."""
    process.send_signal(number)
    code, _, err = ended(process)
    saved = max(finished(workdir), default=0)
    survived = (
        code == 128 + (first or number) and f"saved iteration {saved} in" in err and saved > 0
    )
    return Trial(
        survived and runs.same_run(workdir, saved), f"{runs.message(err)}; exit code {code}"
    )


def stop_compiling(number: signal.Signals) -> Trials:
    def trials(runs: Runs, times: int) -> Iterator[Trial]:
        for _ in range(times):
            process = runs.start(runs.new_workdir("compiling"), "--config.compilation_cache=off")
            reach(process, "compiling the training step")
            start = time.perf_counter()
            process.send_signal(number)
            code, _, err = ended(process)
            within = time.perf_counter() - start < 10
            yield Trial(within and code == 128 + number, f"{runs.message(err)}; exit code {code}")

    return trials


def stop_twice(*numbers: signal.Signals, pause: float) -> Trials:
    """Send signals one after the other, as `timeout` and batch systems do."""

    def trials(runs: Runs, times: int) -> Iterator[Trial]:
        for _ in range(times):
            workdir = runs.new_workdir("twice")
            process = runs.start(workdir)
            reach(process, "iterations/s")
            for number in numbers[:-1]:
                process.send_signal(number)
                time.sleep(pause)
            yield _stopped(runs, process, workdir, numbers[-1], numbers[0])

    return trials


def stop_by_timeout(runs: Runs, times: int) -> Iterator[Trial]:
    """Let GNU timeout end the program, which sends SIGTERM to it and then to its group."""
    for _ in range(times):
        workdir = runs.copy_reference(runs.directory / "timeout", PERIOD)
        seconds = f"{runs.startup_seconds() + 3:.1f}"
        process = runs.start(workdir, prefix=("timeout", seconds))
        code, _, err = ended(process)
        saved = max(finished(workdir), default=0)
        survived = code == 124 and f"saved iteration {saved} in" in err and saved > PERIOD
        yield Trial(survived and runs.same_run(workdir, saved), runs.message(err))


def console_gone(redirection: str) -> Trials:
    """Let the program print to a pipe that closes after a line, or to a full disk."""

    def trials(runs: Runs, times: int) -> Iterator[Trial]:
        for _ in range(times):
            workdir = runs.new_workdir("silent")
            shell = ("bash", "-o", "pipefail", "-c", f'"$@" {redirection}', "bash")
            code, _, err = ended(runs.start(workdir, until=4 * PERIOD, prefix=shell))
            survived = (code, err) == (0, "") and runs.same_run(workdir, 4 * PERIOD)
            yield Trial(survived, "what was printed before")

    return trials


def terminal_closed(runs: Runs, times: int) -> Iterator[Trial]:
    for _ in range(times):
        workdir = runs.new_workdir("terminal")
        terminal, theirs = pty.openpty()
        process = runs.start(workdir, start_new_session=True, stdout=theirs, stderr=theirs)
        os.close(theirs)
        while not finished(workdir):
            time.sleep(0.1)
            os.set_blocking(terminal, False)
            with suppress(BlockingIOError):
                os.read(terminal, 10**6)
        os.close(terminal)
        process.send_signal(signal.SIGHUP)  # as the kernel to the session of a terminal
        code = process.wait(60)
        saved = max(finished(workdir))
        survived = code == 128 + signal.SIGHUP and runs.same_run(workdir, saved)
        yield Trial(survived, f"nothing; exit code {code}")
