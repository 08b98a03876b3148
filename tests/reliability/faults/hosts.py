"""Two processes that train together, each for a host."""

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from tests.program import ended, reach
from tests.reliability.faults.runs import PERIOD, Runs, Trial, Trials

LONGEST = 8 * PERIOD  # that two train
LATE = 45  # seconds, more than Gloo waits


def a_host_dies(devices: int) -> Trials:
    """The second and the first in turn; resumed, all is as in a run that had no fault."""
    codes = (1,) if devices == 1 else (1, -signal.SIGABRT)  # the latter is JAX's

    def trials(runs: Runs, times: int) -> Iterator[Trial]:
        reference = _reference(runs, devices)
        for trial in range(times):
            workdir = runs.fresh("two")
            processes = runs.start_two(workdir, runs.iterations, devices)
            reach(processes[0], f" {2 * PERIOD}/")
            first, second = processes
            dead, left = (second, first) if trial % 2 == 0 else (first, second)
            dead.kill()
            began = time.perf_counter()
            code, _, err = ended(left)
            seconds = time.perf_counter() - began
            both = runs.start_two(workdir, LONGEST, devices)
            ends = [ended(process, seconds=3600)[0] for process in both]
            told = re.search("another process ended|another task died", err) is not None
            seen = f"{_told(runs, err)}; after {seconds:.0f} s"
            if any(ends):
                seen += f"; resumed: {ends}"
            yield Trial(
                told
                and code in codes
                and seconds < 120
                and ends == [0, 0]
                and runs.same(workdir, LONGEST, reference),
                seen,
            )

    return trials


def _told(runs: Runs, err: str) -> str:
    """Our line, or JAX's own message, which is longer."""
    own = re.search("Terminating process.*another task died", err)
    return f"{own[0]} … (JAX's own words)" if own else runs.told(err)


def a_host_is_late(runs: Runs, times: int) -> Iterator[Trial]:
    """The second and the first in turn."""
    reference = _reference(runs, devices=2)
    for trial in range(times):
        workdir = runs.fresh("two")
        late = f"late:{LATE}"
        faults = ("", late) if trial % 2 == 0 else (late, "")
        both = runs.start_two(workdir, LONGEST, 2, faults)
        ends = [ended(process, seconds=3600) for process in both]
        survived = all(code == 0 for code, _, _ in ends) and runs.same(workdir, LONGEST, reference)
        told = "".join(err for code, _, err in ends if code)
        yield Trial(survived, runs.told(told) if told else "nothing but its rows")


def _reference(runs: Runs, devices: int) -> Path:
    """Workdir of two that had no fault."""
    workdir = runs.directory / f"two-of-{devices}"
    if not workdir.exists():
        for process in runs.start_two(workdir, LONGEST, devices):
            code, _, err = ended(process, seconds=3600)
            if code:
                raise RuntimeError(f"the uninterrupted run of two failed: {err}")
    return workdir
