"""Two processes that train together, one per simulated host."""

import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.program import ended, reach
from tests.reliability.faults.runs import PERIOD, Runs, Trial, Trials, finished

ITERATIONS = 8 * PERIOD
LATE = 45  # seconds; Gloo waits for less


def host_dies(devices: int) -> Trials:
    """Kill process 1 or process 0 alternately; resumed, both match the reference."""
    codes = (1,) if devices == 1 else (1, -signal.SIGABRT)  # the latter by JAX

    def trials(runs: Runs, times: int) -> Iterator[Trial]:
        reference = _reference(runs, devices)
        for trial in range(times):
            workdir = runs.new_workdir("two")
            processes = runs.start_several(workdir, devices=devices)
            reach(processes[0], f" {2 * PERIOD}/")
            first, second = processes
            killed, survivor = (second, first) if trial % 2 == 0 else (first, second)
            killed.kill()
            start = time.perf_counter()
            code, _, err = ended(survivor)
            seconds = time.perf_counter() - start
            both = runs.start_several(workdir, until=ITERATIONS, devices=devices)
            exit_codes = [ended(process, seconds=3600)[0] for process in both]
            reported = re.search("another process ended|another task died", err) is not None
            seen = f"{_message(runs, err)}; after {seconds:.0f} s"
            if any(exit_codes):
                seen += f"; exit codes when resumed: {exit_codes}"
            yield Trial(
                reported
                and code in codes
                and seconds < 120
                and exit_codes == [0, 0]
                and runs.same_run(workdir, ITERATIONS, reference),
                seen,
            )

    return trials


def _message(runs: Runs, err: str) -> str:
    """Return the program's line, or an excerpt of JAX's longer message."""
    jax_message = re.search("Terminating process.*another task died", err)
    return f"{jax_message[0]} … (JAX's message)" if jax_message else runs.message(err)


def host_is_late(runs: Runs, times: int) -> Iterator[Trial]:
    """Delay process 1 or process 0 alternately."""
    reference = _reference(runs, devices=2)
    for trial in range(times):
        workdir = runs.new_workdir("two")
        late = f"late:{LATE}"
        faults = ("", late) if trial % 2 == 0 else (late, "")
        both = runs.start_several(workdir, until=ITERATIONS, devices=2, faults=faults)
        ends = [ended(process, seconds=3600) for process in both]
        finished = all(code == 0 for code, _, _ in ends)
        survived = finished and runs.same_run(workdir, ITERATIONS, reference)
        err = "".join(err for code, _, err in ends if code)
        yield Trial(survived, runs.message(err) if err else "no message")


@dataclass(frozen=True)
class Phase:
    """What the processes are doing when they are asked to stop: process 0 has printed a line."""

    line: str
    flags: tuple[str, ...] = ()
    saves: bool = True


TRAINING = Phase("iterations/s")
COMPILING = Phase("compiling the training step", ("--config.compilation_cache=off",), saves=False)
SCORING = Phase(
    "50000 images", (f"--config.eval_every={PERIOD}", "--config.eval.protocol=standard")
)


def stop_hosts(number: signal.Signals, processes: int, phase: Phase) -> Trials:
    """Send a signal to each process alone in turn, and to all of them."""

    def trials(runs: Runs, times: int) -> Iterator[Trial]:
        targets = [*((n,) for n in range(processes)), tuple(range(processes))]
        for trial in range(times):
            workdir = runs.new_workdir("several")
            started = runs.start_several(workdir, *phase.flags, processes=processes)
            reach(started[0], phase.line)
            for target in targets[trial % len(targets)]:
                started[target].send_signal(number)
            ends = [ended(process) for process in started]
            messages = [runs.message(err) for _, _, err in ends]
            survived = all(code == 128 + number for code, _, _ in ends)
            saved = max(finished(workdir), default=0)
            said = f"saved iteration {saved} in" if phase.saves else "nothing to save"
            survived &= all(said in message for message in messages) and phase.saves == (saved > 0)
            if saved:
                until = saved + PERIOD
                again = runs.start_several(workdir, until=until, processes=processes)
                survived &= [ended(process)[0] for process in again] == [0] * processes
                survived &= runs.same_run(workdir, until, _reference(runs, 1, processes))
            yield Trial(survived, f"{messages[0]}; in each process, exit code {ends[0][0]}")

    return trials


def other_devices(runs: Runs, times: int) -> Iterator[Trial]:
    """Resume on one, two and four devices in turn; the draws stay the same, the sums do not."""
    for trial in range(times):
        workdir = runs.new_workdir("devices")
        survived, until = True, 0
        for devices in ((1, 2, 4), (4, 1, 2), (2, 4, 1))[trial % 3]:
            until += PERIOD
            process = runs.start(workdir, until=until, JAX_NUM_CPU_DEVICES=str(devices))
            code, out, err = ended(process)
            survived &= (code, err) == (0, "")
            survived &= until == PERIOD or f"resuming at iteration {until - PERIOD} of" in out
        yield Trial(survived and runs.close_to(workdir, until), "no message")


def _reference(runs: Runs, devices: int, processes: int = 2) -> Path:
    """Return the workdir of several processes without a fault."""
    workdir = runs.directory / f"{processes}-of-{devices}"
    if not workdir.exists():
        kept = "--config.checkpoints_to_keep=1000"
        for process in runs.start_several(
            workdir, kept, until=10 * ITERATIONS, processes=processes, devices=devices
        ):
            code, _, err = ended(process, seconds=3600)
            if code:
                raise RuntimeError(f"the reference run of {processes} processes failed: {err}")
    return workdir
