"""Two processes that train together, one per simulated host."""

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from tests.program import ended, reach
from tests.reliability.faults.runs import PERIOD, Runs, Trial, Trials

ITERATIONS = 8 * PERIOD
LATE = 45  # seconds; Gloo waits for less


def host_dies(devices: int) -> Trials:
    """Kill process 1 or process 0 alternately; resumed, both match the reference."""
    codes = (1,) if devices == 1 else (1, -signal.SIGABRT)  # the latter by JAX

    def trials(runs: Runs, times: int) -> Iterator[Trial]:
        reference = _reference(runs, devices)
        for trial in range(times):
            workdir = runs.new_workdir("two")
            processes = runs.start_two(workdir, runs.iterations, devices)
            reach(processes[0], f" {2 * PERIOD}/")
            first, second = processes
            killed, survivor = (second, first) if trial % 2 == 0 else (first, second)
            killed.kill()
            start = time.perf_counter()
            code, _, err = ended(survivor)
            seconds = time.perf_counter() - start
            both = runs.start_two(workdir, ITERATIONS, devices)
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
        both = runs.start_two(workdir, ITERATIONS, 2, faults)
        ends = [ended(process, seconds=3600) for process in both]
        finished = all(code == 0 for code, _, _ in ends)
        survived = finished and runs.same_run(workdir, ITERATIONS, reference)
        err = "".join(err for code, _, err in ends if code)
        yield Trial(survived, runs.message(err) if err else "no message")


def _reference(runs: Runs, devices: int) -> Path:
    """Return the workdir of two processes without a fault."""
    workdir = runs.directory / f"two-of-{devices}"
    if not workdir.exists():
        for process in runs.start_two(workdir, ITERATIONS, devices):
            code, _, err = ended(process, seconds=3600)
            if code:
                raise RuntimeError(f"the reference run of two processes failed: {err}")
    return workdir
