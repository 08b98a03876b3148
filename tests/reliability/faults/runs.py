"""Runs that faults are tried on, and the uninterrupted run they are compared with."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import jax
import numpy as np
import orbax.checkpoint as ocp

from gcgan_jax.storage.checksums import is_finished
from gcgan_jax.storage.json_lines import read_json_lines
from tests.program import Program, ended, free_port, reach

PERIOD = 5  # iterations between checkpoints, and in one call


@dataclass(frozen=True)
class Trial:
    """One try of a fault: whether nothing was lost by it, and what the user saw."""

    survived: bool
    seen: str


class Runs:
    """Starts the program on workdirs below a directory, and knows what they must come to."""

    def __init__(self, directory: Path, flags: Sequence[str], iterations: int) -> None:
        """
        Args:
            flags: the config and its overrides.
            iterations: of the uninterrupted run, a multiple of PERIOD.
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
        **environment: str,
    ) -> subprocess.Popen[str]:
        """The program on a workdir, with a fault of injected.py if one is named."""
        module = ("tests.reliability.injected", fault) if fault else ("gcgan_jax.main",)
        iterations = f"--config.num_iterations={until or self.iterations}"
        return self.program.start(
            *self._flags, iterations, f"--workdir={workdir}", *flags, module=module, **environment
        )

    def start_two(
        self, workdir: Path, until: int, devices: int, faults: Sequence[str] = ("", "")
    ) -> list[subprocess.Popen[str]]:
        """Processes of so many devices each; `faults` as those of `start`."""
        shared = [f"--coordinator=127.0.0.1:{free_port()}", "--num_processes=2"]
        return [
            self.start(
                *(workdir, *shared, f"--process_id={number}"),
                until=until,
                fault=fault,
                JAX_NUM_CPU_DEVICES=str(devices),
            )
            for number, fault in enumerate(faults)
        ]

    def whole(self, workdir: Path, *flags: str, until: int | None = None) -> tuple[int, str, str]:
        """Exit code and output of the program, without a fault."""
        return ended(self.start(workdir, *flags, until=until), seconds=3600)

    @cached_property
    def reference(self) -> Path:
        """Workdir of the uninterrupted run, with all its checkpoints."""
        workdir = self.directory / "reference"
        code, _, err = self.whole(workdir, "--config.checkpoints_to_keep=1000")
        if code:
            raise RuntimeError(f"the uninterrupted run failed: {err}")
        return workdir

    def seconds(self) -> float:
        """To start with programs compiled before; measured."""
        process = self.start(self.copy(self.directory / "timed", PERIOD))
        began = time.perf_counter()
        reach(process, "iterations/s")
        process.kill()
        return time.perf_counter() - began

    def fresh(self, name: str) -> Path:
        """A workdir with nothing in it."""
        workdir = self.directory / name
        shutil.rmtree(workdir, ignore_errors=True)
        return workdir

    def copy(self, workdir: Path, until: int) -> Path:
        """Makes `workdir` hold what the uninterrupted run held at an iteration."""
        shutil.rmtree(workdir, ignore_errors=True)
        workdir.mkdir(parents=True)
        config = json.loads((self.reference / "config.json").read_text())
        config["checkpoints_to_keep"] = 3
        (workdir / "config.json").write_text(json.dumps(config))
        shutil.copy(self.reference / "metrics.jsonl", workdir)
        for step in range(PERIOD, until + 1, PERIOD):
            stored = self.reference / "checkpoints" / str(step)
            shutil.copytree(stored, workdir / "checkpoints" / str(step))
        return workdir

    def same(self, workdir: Path, iteration: int, reference: Path | None = None) -> bool:
        """Whether a checkpoint is the uninterrupted run's bit for bit, and each row there once."""
        steps = [row["step"] for row in read_json_lines(workdir / "metrics.jsonl")]
        once = steps == sorted(set(steps))
        complete = set(range(PERIOD, iteration + 1, PERIOD)) <= set(steps)
        return once and complete and self.same_state(workdir, iteration, reference)

    def same_state(self, workdir: Path, iteration: int, reference: Path | None = None) -> bool:
        ours, theirs = (
            jax.tree.leaves(read_checkpoint(place, iteration))
            for place in (workdir, reference or self.reference)
        )
        return all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))

    def told(self, err: str) -> str:
        """The one line of an error, without what differs from place to place; else a warning."""
        lines = err.splitlines()
        if len(lines) != 1 or not lines[0].startswith("gcgan_jax: "):
            return f"NOT ONE LINE: {err[:300]!r}"
        return self.shown(lines[0].removeprefix("gcgan_jax: "))

    def shown(self, line: str) -> str:
        return re.sub(rf"{re.escape(str(self.directory))}/?\w*", "WORKDIR", line)


Trials = Callable[[Runs, int], Iterator[Trial]]  # so many of one fault


def finished(workdir: Path) -> list[int]:
    """Iterations of the checkpoints that are complete, as their checksums are written last."""
    steps = (workdir / "checkpoints").glob("*")
    return sorted(int(step.name) for step in steps if step.name.isdecimal() and is_finished(step))


def read_checkpoint(workdir: Path, iteration: int) -> dict:
    return ocp.StandardCheckpointer().restore(
        (workdir / "checkpoints" / str(iteration) / "default").absolute()
    )
