"""Interleaved measurement: long-lived worker processes that time one repetition on request.

Implementations are thus measured in the same minutes, never at once, each with its own peak memory.
"""

import json
import os
import platform
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from gcgan_jax.runtime.memory import peak_bytes

MIB = 2**20  # bytes


def serve(
    make_run: Callable[[], Callable[[], object]], wait: Callable[[Any], object] = lambda _: None
) -> None:
    """Run the worker's side: build run(), then time one call for every line on stdin.

    Args:
        wait: function that waits for what a call returned; some devices compute asynchronously.
    """

    def make_answer() -> Callable[[str], dict[str, Any]]:
        run = make_run()

        def repeat(_: str) -> dict[str, Any]:
            start = time.perf_counter()
            wait(run())
            return {"seconds": time.perf_counter() - start, "peak_bytes": peak_bytes()}

        return repeat

    answer_lines(make_answer)


def answer_lines(make_answer: Callable[[], Callable[[str], dict[str, Any]]]) -> None:
    """Run a worker's side: build answer(), then print its answers to lines on stdin, as JSON."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # keep libraries' output off the answers
    answer = make_answer()
    for line in sys.stdin:
        print(json.dumps(answer(line.rstrip("\n"))), file=answers, flush=True)


def describe_error(error: Exception) -> str:
    """Return a short line on an error, as an answer to a request that failed."""
    lines = str(error).strip().splitlines() or ["no message"]
    return f"{type(error).__name__}: {lines[0]}"[:200]


def processor() -> dict[str, Any]:
    """Return the model of the CPU, and how many cores this process may use."""
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":")[1].strip()
    return {"cpu": model, "cores": len(os.sched_getaffinity(0))}


class Worker:
    """A measured process, as its parent sees it.

    `environment` has variables that the process gets in addition to this process's.

    Attributes:
        seconds: durations of its repetitions.
        peak_bytes: its peak memory after the last repetition.
    """

    def __init__(
        self, name: str, module: str, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.seconds: list[float] = []
        self.peak_bytes = 0
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | dict(environment or {}),
        )

    @property
    def median(self) -> float:
        """Median of `seconds`."""
        return statistics.median(self.seconds)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()  # waits, and closes the pipes

    def ask(self, request: str, seconds: float | None = None) -> dict[str, Any]:
        """Return the process's answer to a line.

        Args:
            seconds: longest time to wait; None: any time.

        Raises:
            ChildProcessError: the process has ended, e.g. for lack of memory.
            TimeoutError: there is no answer yet; the process should be closed.
        """
        with suppress(BrokenPipeError):
            print(request, file=self.process.stdin, flush=True)
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            raise TimeoutError(f"{self.name} did not answer within {seconds:.0f} s")
        answer = self.process.stdout.readline()
        if not answer:
            raise ChildProcessError(f"{self.name} ended with code {self.process.wait()}")
        return json.loads(answer)

    def repeat(self) -> float:
        """Run one more repetition and return its duration in seconds; see `ask` for errors."""
        measured = self.ask("repeat")
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
