"""Runs jobs, one a core."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from scripts import ROOT
from scripts.study.jobs import Job, Results, obstacle
from scripts.study.lines import Line, make_line

POLL = 0.5  # seconds
CONSOLE = "console.txt"  # in a job's working directory
ONE_CORE = {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "JAX_PLATFORMS": "cpu",
    "JAX_NUM_CPU_DEVICES": "1",
}


class Kind(Protocol):
    """How jobs of a kind are done: the modules `gan` and `worker`."""

    def commands(self, job: Job, root: Path, flags: Sequence[str]) -> list[list[str]]: ...

    def result(self, job: Job, root: Path) -> dict[str, Any] | None: ...


@dataclass
class Running:
    """A job in progress.

    Attributes:
        todo: its command lines after the current one.
        resumed: whether an earlier session began it.
        began: when this session did.
        cpu: seconds of CPU time that its finished commands took in this session.
    """

    job: Job
    core: int
    process: subprocess.Popen
    todo: list[list[str]]
    resumed: bool
    began: float = field(default_factory=time.monotonic)
    cpu: float = 0.0

    def ended(self) -> bool:
        """Return whether the current command has ended, and count its CPU time if it has."""
        pid, status, used = os.wait4(self.process.pid, os.WNOHANG)
        if pid:
            self.process.returncode = os.waitstatus_to_exitcode(status)
            self.cpu += used.ru_utime + used.ru_stime
        return bool(pid)


class Harness:
    """Runs jobs as other processes, each on a core of its own.

    They end with this process, see `bound`, and resume from their last checkpoints.
    """

    def __init__(
        self, kinds: Mapping[str, Kind], root: Path, flags: Sequence[str], cores: Sequence[int]
    ) -> None:
        """
        Args:
            root: working directory of the study.
            flags: further flags of the program.
            cores: numbers of the cores to use.
        """
        self._kinds, self._root, self._flags = kinds, root, flags
        self._free, self._running = [*cores], list[Running]()

    def run(
        self,
        jobs: Sequence[Job],
        results: Callable[[], Results],
        finish: Callable[[Line], None],
    ) -> dict[Job, str]:
        """Run jobs in their order, and return those that failed with messages.

        Jobs with an obstacle are left out, unless results of running ones remove it.

        Args:
            results: returns those of all finished jobs.
            finish: stores the line of a job.

        Raises:
            KeyboardInterrupt: after stopping the running jobs, which save first.
        """
        waiting, failed = [*jobs], dict[Job, str]()
        try:
            while True:
                if self._free and waiting:
                    known = results()
                    ready = [job for job in waiting if not obstacle(job, known)]
                    for job in ready[: len(self._free)]:
                        waiting.remove(job)
                        self._start(job)
                if not self._running:
                    return failed
                time.sleep(POLL)
                for one in [one for one in self._running if one.ended()]:
                    message = self._advance(one, finish)
                    if message:
                        failed[one.job] = message
        except KeyboardInterrupt:
            self._stop()
            raise

    def _start(self, job: Job) -> None:
        resumed = self._console(job).exists()
        core = self._free.pop(0)
        first, *todo = self._kinds[job.kind].commands(job, self._root, self._flags)
        self._running.append(Running(job, core, self._open(job, core, first), todo, resumed))
        print(f"{job.name}: {'resumed' if resumed else 'started'} on core {core}", flush=True)

    def _advance(self, one: Running, finish: Callable[[Line], None]) -> str:
        """Continue with the next command, or end the job; return an error message, or ""."""
        code = one.process.returncode
        if not code and one.todo:
            one.process = self._open(one.job, one.core, one.todo.pop(0))
            return ""
        self._running.remove(one)
        self._free.append(one.core)
        seconds = time.monotonic() - one.began
        result = None if code else self._kinds[one.job.kind].result(one.job, self._root)
        message = ""
        if result is None:
            message = _message(code, self._console(one.job))
        else:
            finish(make_line(one.job, result, seconds, one.cpu, resumed=one.resumed))
        print(f"{one.job.name}: {message or f'done in {seconds:.0f} s'}", flush=True)
        return message

    def _open(self, job: Job, core: int, command: Sequence[str]) -> subprocess.Popen:
        console = self._console(job)
        console.parent.mkdir(parents=True, exist_ok=True)
        cache = {"JAX_COMPILATION_CACHE_DIR": str((self._root / "compiled").absolute())}
        bound = [sys.executable, "-m", "scripts.study.bound", str(core), str(os.getpid())]
        with console.open("a") as out:
            return subprocess.Popen(
                [*bound, *command],
                cwd=ROOT,
                env=cache | os.environ | ONE_CORE,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # else Ctrl-C would reach it twice
            )

    def _stop(self) -> None:
        """Let the running jobs save, and wait for them."""
        print("stopping: rerun the same command to resume", flush=True)
        for one in self._running:
            one.process.terminate()
        for one in self._running:
            one.process.wait()

    def _console(self, job: Job) -> Path:
        return job.workdir(self._root) / CONSOLE


def _message(code: int, console: Path) -> str:
    """Return why a job has no result: the program's error message if there is one."""
    last = console.read_text().rstrip().rpartition("\n")[2]
    return last if last.startswith("gcgan_jax: ") else f"exit code {code}, see {console}"
