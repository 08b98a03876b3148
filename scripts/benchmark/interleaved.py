"""Interleaved measurement: long-lived worker processes that time one repetition on request.

Implementations are thus measured in the same minutes, never at once, each with its own peak memory.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

MIB = 2**20  # bytes


def serve(make_run: Callable[[], Callable[[], object]]) -> None:
    """Run the worker's side: build run(), then time one call for every line on stdin."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # keep libraries' output off the answers
    run = make_run()
    for _ in sys.stdin:
        start = time.perf_counter()
        run()
        seconds = time.perf_counter() - start
        print(
            json.dumps({"seconds": seconds, "peak_bytes": peak_bytes()}), file=answers, flush=True
        )


def peak_bytes() -> int:
    """Return this process's peak resident memory, as Linux counts it.

    Not from getrusage, whose value starts at the parent's memory when it forked this process.
    """
    return _kibibytes(Path("/proc/self/status"), "VmHWM") * 1024


def available_bytes() -> int:
    """Return the memory that Linux can still allocate."""
    return _kibibytes(Path("/proc/meminfo"), "MemAvailable") * 1024


def _kibibytes(path: Path, field: str) -> int:
    lines = dict(line.split(":", 1) for line in path.read_text().splitlines())
    return int(lines[field].split()[0])


class Worker:
    """A measured process, as its parent sees it.

    Attributes:
        seconds: durations of its repetitions.
        peak_bytes: its peak memory after the last repetition.
    """

    def __init__(self, name: str, module: str, *arguments: str) -> None:
        self.name = name
        self.seconds: list[float] = []
        self.peak_bytes = 0
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def median(self) -> float:
        """Median of `seconds`."""
        return statistics.median(self.seconds)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()

    def repeat(self) -> float:
        """Run one more repetition and return its duration in seconds.

        Raises:
            ChildProcessError: the process has ended, e.g. for lack of memory.
        """
        with suppress(BrokenPipeError):
            print("repeat", file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise ChildProcessError(f"{self.name} ended with code {self.process.wait()}")
        measured = json.loads(answer)
        self.seconds.append(measured["seconds"])
        self.peak_bytes = measured["peak_bytes"]
        return measured["seconds"]

    def warm_up(self, at_most: float) -> None:
        """Run a first repetition, which counts only if it takes longer than `at_most` seconds."""
        if self.repeat() <= at_most:
            self.seconds.clear()


def interleave(workers: Sequence[Worker], budget: float, repetitions: int) -> None:
    """Interleave repetitions until each worker has used up its budget or repetitions, at least one.

    Args:
        budget: seconds per worker, including those of earlier repetitions.
        repetitions: maximum number per worker, likewise.
    """

    def unfinished(worker: Worker) -> bool:
        measured = worker.seconds
        return not measured or (sum(measured) < budget and len(measured) < repetitions)

    while any(map(unfinished, workers)):
        for worker in filter(unfinished, workers):
            worker.repeat()
