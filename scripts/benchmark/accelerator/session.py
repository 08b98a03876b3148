"""Measures one thing after another in worker processes, within a budget of time.

JAX and PyTorch run in separate processes, one of each at most, which never compute at once.
"""

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.benchmark.accelerator.plan import PARTS, Measurement, Sizes, remaining
from scripts.benchmark.interleaved import Worker

# CUDA graphs hide from the profiler which operation a kernel belongs to.
PROFILER_FLAGS = "--xla_gpu_enable_command_buffer="

START_SECONDS = 120.0  # at most, to import a library and find the device
LONGEST = 1 / 3  # of a part's time for one measurement

CACHE = "JAX_COMPILATION_CACHE_DIR"

Result = dict[str, Any]
Ask = Callable[[Measurement, float], Result]


class Workers:
    """The two processes. A worker that dies or takes too long is replaced when next needed."""

    def __init__(self, out: Path, sizes: Sizes, toy: bool) -> None:
        """
        Args:
            out: directory whose `compiled` caches JAX's programs, unless the user chose another.
            toy: whether to use toy networks.
        """
        self._sizes, self._toy = sizes, toy
        self._pytorch_platform = "cpu"
        self._environment = {
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",  # leave memory to the other process
            CACHE: os.environ.get(CACHE, str(out.absolute() / "compiled")),
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        self._workers: dict[str, tuple[str, Worker]] = {}  # by library; with the process's name

    def describe_jax(self) -> Result:
        request = json.dumps({"part": "environment"})
        return self._worker("jax", "operators").ask(request, START_SECONDS)

    def describe_pytorch(self, platform: str) -> Result:
        """Describe PyTorch's device, and use it from now on."""
        self._pytorch_platform = platform
        request = json.dumps({"part": "environment"})
        return self._worker("pytorch", "pytorch").ask(request, START_SECONDS)

    def measure(self, measurement: Measurement, seconds: float) -> Result:
        """Return the result, or an error if it fails or takes longer than `seconds`."""
        library = "jax" if measurement.implementation == "jax" else "pytorch"
        request = {
            "part": measurement.part,
            "implementation": measurement.implementation,
            "subject": measurement.subject,
            "seconds": self._sizes.seconds,
            "iterations": self._sizes.iterations,
            "limit": seconds,
        }
        try:
            worker = self._worker(library, measurement.process)
            result = worker.ask(json.dumps(request), seconds)
        except ChildProcessError as error:
            result = {"error": str(error)}
        except TimeoutError:
            result = {"error": f"took longer than {seconds:.0f} s"}
        if "error" in result:  # after which a device may refuse everything
            self._close(library)
        return result

    def close(self) -> None:
        for library in list(self._workers):
            self._close(library)

    def _worker(self, library: str, process: str) -> Worker:
        name, worker = self._workers.get(library, (None, None))
        if worker and name == process:
            return worker
        self.close()  # both: neither gives the memory back that it once used
        environment = dict(self._environment)
        if process == "profile":
            environment["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {PROFILER_FLAGS}".strip()
        arguments = [self._pytorch_platform] if library == "pytorch" else []
        arguments += ["--toy"] if self._toy else []
        module = f"scripts.benchmark.accelerator.{library}_answers"
        worker = Worker(process, module, *arguments, environment=environment)
        self._workers[library] = process, worker
        return worker

    def _close(self, library: str) -> None:
        if library in self._workers:
            self._workers.pop(library)[1].close()


def measure_all(
    measurements: Sequence[Measurement],
    results: Mapping[str, Mapping[str, Result]],
    ask: Ask,
    save: Callable[[Measurement, Result], None],
    budget: float,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Measure what has no result yet, part by part, and save each result at once.

    Args:
        results: what was measured before, by part and key.
        budget: seconds for all parts. Each gets its share of the time that is left.
    """
    end = clock() + budget
    parts = list(dict.fromkeys(measurement.part for measurement in measurements))
    for number, part in enumerate(parts):
        now = clock()
        share = PARTS[part] / sum(PARTS[later] for later in parts[number:])
        seconds = share * (end - now)
        deadline = now + seconds
        of_part = [measurement for measurement in measurements if measurement.part == part]
        for measurement in remaining(of_part, results):
            left = deadline - clock()
            if left <= 0:
                break
            save(measurement, ask(measurement, min(left, LONGEST * seconds)))
