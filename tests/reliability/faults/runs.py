"""Runs to inject faults into, and the uninterrupted reference run to compare them with."""

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp

from gcgan_jax.storage.checksums import is_finished
from gcgan_jax.storage.metrics_log import read_entries
from tests.program import Program, ended, free_port, reach

PERIOD = 5  # iterations between checkpoints, and per call


@dataclass(frozen=True)
class Trial:
    """One injection of a fault: whether the run survived without loss, and what the user saw."""

    survived: bool
    seen: str


class Runs:
    """Starts the program in workdirs below a directory, and compares them with a reference run."""

    def __init__(self, directory: Path, flags: Sequence[str], iterations: int) -> None:
        """
        Args:
            directory: parent of all workdirs.
            flags: the config and its overrides.
            iterations: length of the reference run, a multiple of PERIOD.
        """
        self.directory, self.iterations = directory, iterations
        self._flags = [
            *flags,
            f"--config.compilation_cache={directory / 'compiled'}",
            *(f"--config.{name}_every={PERIOD}" for name in ("log", "sample", "checkpoint")),
        ]
        self.program = Program(JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0")

    def start(
        self,
        workdir: Path,
        *flags: str,
        until: int | None = None,
        fault: str = "",
        **options: Any,
    ) -> subprocess.Popen[str]:
        """Start the program in a workdir.

        Args:
            until: number of iterations; None: those of the reference run.
            fault: a fault of injected.py; "": none.
            options: of `Program.start`.
        """
        module = ("tests.reliability.injected", fault) if fault else ("gcgan_jax.main",)
        iterations = f"--config.num_iterations={until or self.iterations}"
        return self.program.start(
            *self._flags, iterations, f"--workdir={workdir}", *flags, module=module, **options
        )

    def start_several(
        self,
        workdir: Path,
        *flags: str,
        until: int | None = None,
        processes: int = 2,
        devices: int = 1,
        faults: Sequence[str] = (),
    ) -> list[subprocess.Popen[str]]:
        """Start processes that train together.

        Args:
            devices: number of devices per process.
            faults: of the first processes, as in `start`.
        """
        shared = [f"--coordinator=127.0.0.1:{free_port()}", f"--num_processes={processes}", *flags]
        return [
            self.start(
                *(workdir, *shared, f"--process_id={number}"),
                until=until,
                fault=fault,
                JAX_NUM_CPU_DEVICES=str(devices),
            )
            for number, fault in enumerate([*faults, *[""] * (processes - len(faults))])
        ]

    def finish(self, workdir: Path, *flags: str, until: int | None = None) -> tuple[int, str, str]:
        """Run the program to its end without a fault; return exit code, output and error output."""
        return ended(self.start(workdir, *flags, until=until), seconds=3600)

    @cached_property
    def reference(self) -> Path:
        """Workdir of the uninterrupted reference run, with all its checkpoints."""
        workdir = self.directory / "reference"
        code, _, err = self.finish(workdir, "--config.checkpoints_to_keep=1000")
        if code:
            raise RuntimeError(f"the reference run failed: {err}")
        return workdir

    def startup_seconds(self) -> float:
        """Measure how long the program takes to start training with a warm compilation cache."""
        process = self.start(self.copy_reference(self.directory / "timed", PERIOD))
        start = time.perf_counter()
        reach(process, "iterations/s")
        process.kill()
        return time.perf_counter() - start

    def new_workdir(self, name: str) -> Path:
        """Return a workdir, deleting an existing one."""
        workdir = self.directory / name
        shutil.rmtree(workdir, ignore_errors=True)
        return workdir

    def copy_reference(self, workdir: Path, until: int) -> Path:
        """Fill `workdir` with the reference run's state after `until` iterations."""
        shutil.rmtree(workdir, ignore_errors=True)
        workdir.mkdir(parents=True)
        for name in ("config.json", "metrics.jsonl"):
            shutil.copy(self.reference / name, workdir)
        for step in range(PERIOD, until + 1, PERIOD):
            stored = self.reference / "checkpoints" / str(step)
            shutil.copytree(stored, workdir / "checkpoints" / str(step))
        return workdir

    def same_run(self, workdir: Path, iteration: int, reference: Path | None = None) -> bool:
        """Return whether a checkpoint equals the reference bit for bit, with each log entry once.

        Args:
            reference: workdir to compare with; None: the reference run's.
        """
        steps = [entry["step"] for entry in read_entries(workdir).rows]
        once = steps == sorted(set(steps))
        complete = set(range(PERIOD, iteration + 1, PERIOD)) <= set(steps)
        return once and complete and self.same_state(workdir, iteration, reference)

    def same_state(self, workdir: Path, iteration: int, reference: Path | None = None) -> bool:
        actual, expected = (
            jax.tree.leaves(read_checkpoint(directory, iteration))
            for directory in (workdir, reference or self.reference)
        )
        return all(np.array_equal(a, b) for a, b in zip(actual, expected, strict=True))

    def close_to(self, workdir: Path, iteration: int) -> bool:
        """Return whether the losses of one iteration are within a few percent of the reference."""
        rows = (
            {entry["step"]: entry for entry in read_entries(directory).rows}
            for directory in (workdir, self.reference)
        )
        losses = [of[iteration]["critic_loss"] for of in rows]
        return abs(losses[0] - losses[1]) < 0.05 * abs(losses[1])

    def message(self, err: str) -> str:
        """Return the one line of an error output without paths; if it has more, say so."""
        lines = err.splitlines()
        if len(lines) != 1 or not lines[0].startswith("gcgan_jax: "):
            return f"NOT ONE LINE: {err[:300]!r}"
        return self.without_paths(lines[0].removeprefix("gcgan_jax: "))

    def without_paths(self, line: str) -> str:
        return re.sub(rf"{re.escape(str(self.directory))}/?\w*", "WORKDIR", line)


Trials = Callable[[Runs, int], Iterator[Trial]]  # injects one fault this many times


def finished(workdir: Path) -> list[int]:
    """Return the iterations of complete checkpoints: those with checksums, written last."""
    steps = (workdir / "checkpoints").glob("*")
    return sorted(int(step.name) for step in steps if step.name.isdecimal() and is_finished(step))


def read_checkpoint(workdir: Path, iteration: int) -> dict:
    return ocp.StandardCheckpointer().restore(
        (workdir / "checkpoints" / str(iteration) / "default").absolute()
    )
