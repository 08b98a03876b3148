"""Runs the program in separate processes."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from gcgan_jax.experiment import Experiment

ROOT = Path(__file__).parents[1]
SECONDS = 240  # limit for a process to end, on a busy machine


class Program:
    """Starts processes of the program; `close` kills those still running.

    Attributes:
        environment: variables that the processes have in addition to those of this process.
    """

    def __init__(self, **environment: str) -> None:
        self.environment = environment
        self.started: list[subprocess.Popen[str]] = []

    def start(
        self,
        *flags: str,
        module: tuple[str, ...] = ("gcgan_jax.main",),
        prefix: tuple[str, ...] = (),
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
        start_new_session: bool = False,
        **environment: str,
    ) -> subprocess.Popen[str]:
        """Start a process of a module; `prefix` is a command that takes the whole as arguments."""
        process = subprocess.Popen(
            [*prefix, sys.executable, "-m", *module, *flags],
            cwd=ROOT,
            env=_inherited_environment() | self.environment | environment,
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=stderr,
            text=True,
            start_new_session=start_new_session,
        )
        self.started.append(process)
        return process

    def run_forked(self, commands: Sequence[Sequence[str]]) -> list[tuple[int, str, str]]:
        """Return exit code, output and error output of each list of flags.

        They run in forks of one process, which imports JAX only once; see tests/forked.py.
        """
        process = self.start(module=("tests.forked",))
        out, err = process.communicate(json.dumps(commands))
        if process.returncode:
            raise RuntimeError(err)
        return [(code, *printed) for code, *printed in json.loads(out)]

    def close(self) -> None:
        for process in self.started:
            process.kill()
            process.communicate()


class ExperimentProgram(Program):
    """Runs experiments instead of config files, with all files under `directory`."""

    def __init__(self, directory: Path, cache: Path) -> None:
        super().__init__(
            JAX_DISABLE_MOST_OPTIMIZATIONS="true",  # as in conftest
            JAX_COMPILATION_CACHE_DIR=str(cache),
            JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0",
        )
        self.directory = directory

    def run(
        self,
        experiment: Experiment,
        *flags: str,
        devices: int = 1,
        workdir: str = "run",
        **environment: str,
    ) -> subprocess.Popen[str]:
        path = self.directory / f"config{len(self.started)}.py"
        path.write_text(
            "from ml_collections import ConfigDict\n"
            f"def get_config(): return ConfigDict({experiment.settings})\n"
        )
        base = [f"--config={path}", f"--workdir={self.directory / workdir}"]
        return self.start(*base, *flags, JAX_NUM_CPU_DEVICES=str(devices), **environment)

    def run_two(
        self, first: Experiment, second: Experiment | None = None, devices: tuple[int, int] = (1, 1)
    ) -> list[subprocess.Popen[str]]:
        shared = [f"--coordinator=127.0.0.1:{free_port()}", "--num_processes=2"]
        return [
            self.run(experiment, *shared, f"--process_id={i}", devices=n, workdir=workdir)
            for i, (experiment, n, workdir) in enumerate(
                zip((first, second or first), devices, ("run", "second"), strict=True)
            )
        ]


def _inherited_environment() -> dict[str, str]:
    """Return this process's environment without the variable that importing JAX adds."""
    return {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}


def reach(process: subprocess.Popen[str], line: str) -> None:
    """Read the output of the process up to a line that contains `line`.

    Raises:
        EOFError: the process ended without printing it.
    """
    assert process.stdout is not None
    for printed in process.stdout:
        if line in printed:
            return
    raise EOFError(f"{line!r} was not printed; stderr: {process.communicate()[1]!r}")


def ended(process: subprocess.Popen[str], seconds: float = SECONDS) -> tuple[int, str, str]:
    """Wait for the process; return exit code, stdout without Gloo's lines, and stderr."""
    out, err = process.communicate(timeout=seconds)
    return process.returncode, re.sub(r"\[Gloo\].*\n", "", out), err


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]
