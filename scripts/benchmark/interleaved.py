"""Taking turns: processes that stay alive and do one timed repetition on request.

So two sides are measured in the same minutes, never both at once, each with its own peak memory.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def serve(make_run: Callable[[], Callable[[], object]]) -> None:
    """The measured process: prepares run(), then times it once for every line on stdin."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever libraries print
    run = make_run()
    for _ in sys.stdin:
        began = time.perf_counter()
        run()
        seconds = time.perf_counter() - began
        print(
            json.dumps({"seconds": seconds, "peak_bytes": peak_bytes()}), file=answers, flush=True
        )


def peak_bytes() -> int:
    """The most memory that this process has held, as Linux counts it.

    Not getrusage's, which begins with what the parent held when it started this process.
    """
    return _kibibytes(Path("/proc/self/status"), "VmHWM") * 1024


def available_bytes() -> int:
    """Memory that Linux can still give away."""
    return _kibibytes(Path("/proc/meminfo"), "MemAvailable") * 1024


def _kibibytes(path: Path, field: str) -> int:
    lines = dict(line.split(":", 1) for line in path.read_text().splitlines())
    return int(lines[field].split()[0])


class Side:
    """One measured process, seen from outside."""

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

    def close(self) -> None:
        self.process.kill()
        self.process.wait()

    def go(self) -> float:
        """One more repetition: its seconds.

        Raises:
            ChildProcessError: the process has ended, as for lack of memory.
        """
        with suppress(BrokenPipeError):
            print("go", file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise ChildProcessError(f"{self.name} ended with code {self.process.wait()}")
        measured = json.loads(answer)
        self.seconds.append(measured["seconds"])
        self.peak_bytes = measured["peak_bytes"]
        return measured["seconds"]

    def warm_up(self, at_most: float) -> None:
        """A first repetition; it counts only if it takes longer than `at_most` seconds."""
        if self.go() <= at_most:
            self.seconds.clear()
