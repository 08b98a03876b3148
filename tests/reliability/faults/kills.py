"""Processes that are killed or stopped by a signal."""

import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import numpy as np

from gcgan_jax.storage.checksums import is_finished
from tests.program import ended, reach
from tests.reliability.faults.runs import PERIOD, Runs, Trial, Trials, finished


def kill_at_random(runs: Runs, times: int) -> Iterator[Trial]:
    """Kill one run repeatedly while it starts or trains, then let it finish."""
    rng = np.random.default_rng(0)
    longest = runs.startup_seconds() + 8
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


def kill_while_saving(runs: Runs, times: int) -> Iterator[Trial]:
    rng = np.random.default_rng(1)
    workdir = runs.new_workdir("unfinished")
    for _ in range(times):
        newest = _kill_during_save(runs, workdir, rng)
        runs.finish(workdir, until=newest + PERIOD)
        yield Trial(
            runs.same_run(workdir, newest + PERIOD),
            "`checkpoint N in WORKDIR/checkpoints cannot be used: it is incomplete; moved to "
            "WORKDIR/checkpoints-damaged`, if it already had its final name",
        )
        if newest + 2 * PERIOD >= runs.iterations:
            shutil.rmtree(workdir)


def _kill_during_save(runs: Runs, workdir: Path, rng: np.random.Generator) -> int:
    """Kill while a checkpoint is written; return the iteration of the newest finished one."""
    while True:
        process = runs.start(workdir)
        before = finished(workdir)
        while process.poll() is None:
            time.sleep(1e-3)
            if any(_is_unfinished(path) for path in (workdir / "checkpoints").glob("*")):
                time.sleep(rng.uniform(0, 0.1))
                process.kill()
                break
        process.communicate()
        if any(_is_unfinished(path) for path in (workdir / "checkpoints").glob("*")):
            return max(finished(workdir), default=0)
        if finished(workdir) == before:
            raise RuntimeError("no checkpoint was written")


def _is_unfinished(path: Path) -> bool:
    return path.is_dir() and not is_finished(path)


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


def _stopped(runs: Runs, process: Popen[str], workdir: Path, number: signal.Signals) -> Trial:
    process.send_signal(number)
    code, _, err = ended(process)
    saved = max(finished(workdir), default=0)
    survived = code == 128 + number and f"saved iteration {saved} in" in err and saved > 0
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


def stop_twice(runs: Runs, times: int) -> Iterator[Trial]:
    for _ in range(times):
        workdir = runs.copy_reference(runs.directory / "twice", 2 * PERIOD)
        process = runs.start(workdir)
        reach(process, "iterations/s")
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)  # the operating system merges two simultaneous signals
        process.send_signal(signal.SIGINT)
        start = time.perf_counter()
        code, _, err = ended(process)
        within = time.perf_counter() - start < 2
        resumed = runs.finish(workdir, until=4 * PERIOD)[0] == 0
        yield Trial(
            within and code == 130 and resumed and runs.same_run(workdir, 4 * PERIOD),
            f"{runs.message(err)}; exit code {code}",
        )
