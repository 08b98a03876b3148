"""The real program, started as often as needed."""

import dataclasses
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from gcgan_jax.config import Config

ROOT = Path(__file__).parents[1]
SECONDS = 240  # that a process may take on a busy machine


class Program:
    """Starts processes of the program; all that are left are ended with the test."""

    def __init__(self, directory: Path, cache: Path) -> None:
        self.directory, self.cache = directory, cache
        self.started: list[subprocess.Popen[str]] = []

    def start(
        self, config: Config, *flags: str, devices: int = 1, workdir: str = "run"
    ) -> subprocess.Popen[str]:
        path = self.directory / f"config{len(self.started)}.py"
        path.write_text(
            "from ml_collections import ConfigDict\n"
            f"def get_config(): return ConfigDict({dataclasses.asdict(config)})\n"
        )
        own = [f"--config={path}", f"--workdir={self.directory / workdir}"]
        process = subprocess.Popen(
            [sys.executable, "-m", "gcgan_jax.main", *own, *flags],
            cwd=ROOT,
            env=os.environ
            | {
                "JAX_DISABLE_MOST_OPTIMIZATIONS": "true",  # as conftest has it
                "JAX_NUM_CPU_DEVICES": str(devices),
                "JAX_COMPILATION_CACHE_DIR": str(self.cache),
                "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def start_two(
        self, first: Config, second: Config | None = None, devices: tuple[int, int] = (1, 1)
    ) -> list[subprocess.Popen[str]]:
        shared = [f"--coordinator=127.0.0.1:{free_port()}", "--num_processes=2"]
        return [
            self.start(config, *shared, f"--process_id={i}", devices=n, workdir=workdir)
            for i, (config, n, workdir) in enumerate(
                zip((first, second or first), devices, ("run", "second"), strict=True)
            )
        ]

    def close(self) -> None:
        for process in self.started:
            process.kill()
            process.communicate()


def free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return place.getsockname()[1]


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code, standard output without Gloo's own lines, error output."""
    out, err = process.communicate(timeout=SECONDS)
    return process.returncode, re.sub(r"\[Gloo\].*\n", "", out), err
