"""The real program, started as often as a test needs, with configs of its own."""

import subprocess
from pathlib import Path

from gcgan_jax.experiment import Experiment
from scripts import program
from scripts.program import free_port


class Program(program.Program):
    """Takes an experiment instead of a config file; everything is under `directory`."""

    def __init__(self, directory: Path, cache: Path) -> None:
        super().__init__(
            JAX_DISABLE_MOST_OPTIMIZATIONS="true",  # as conftest has it
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
        own = [f"--config={path}", f"--workdir={self.directory / workdir}"]
        return self.start(*own, *flags, JAX_NUM_CPU_DEVICES=str(devices), **environment)

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
