"""Soak test: do a long run's memory, threads, open files or compiled programs grow?

    python -m tests.reliability.soak --workdir=DIR

trains the quickstart for 5,000 iterations with samples and checkpoints every 25 and scores every
250, observes the process every second, and compares iterations 500 to 1,000 with the last 500.
Exits with code 1 if the median resident memory differs by more than 5 %, or any other count is
larger. Writes all observations to soak.csv in the workdir.
"""

import argparse
import re
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np

from gcgan_jax.report import markdown
from gcgan_jax.storage.atomic import write_atomically
from tests.program import Program

FREQUENT = ("sample_every=25", "checkpoint_every=25", "eval_every=250", "log_every=25")
WINDOW = 500  # iterations
TOLERANCE = 0.05  # relative, of the median resident memory


@dataclass(frozen=True)
class Observation:
    """Resources of a process at one time.

    Attributes:
        iteration: last logged iteration.
        mebibytes: resident memory.
        threads: number of threads.
        files: number of open files.
        programs: number of compiled programs in the cache.
    """

    iteration: int
    mebibytes: float
    threads: int
    files: int
    programs: int


COLUMNS = tuple(field.name for field in fields(Observation))


def observe(process: int, workdir: Path, iteration: int) -> Observation:
    """Observe a process through Linux's /proc.

    Raises:
        OSError, TypeError: the process has ended.
    """
    directory = Path("/proc", str(process))
    status = (directory / "status").read_text()
    resident, threads = (
        int(re.search(rf"{name}:\s*(\d+)", status)[1]) for name in ("VmRSS", "Threads")
    )
    files = len(list((directory / "fd").iterdir()))
    programs = len(list((workdir / "compiled").rglob("*-cache")))
    return Observation(iteration, resident / 1024, threads, files, programs)


def watch(flags: list[str], workdir: Path) -> Iterator[Observation]:
    """Run the program and observe it every second.

    Raises:
        RuntimeError: the program failed.
    """
    program = Program(JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0")
    process = program.start(*flags, f"--workdir={workdir}")
    iterations = [0]

    def read() -> None:
        for line in process.stdout or ():
            match = re.match(r"\s*(\d+)/\d+ ", line)
            if match:
                iterations.append(int(match[1]))
                print(line, end="", flush=True)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        while process.poll() is None:
            yield observe(process.pid, workdir, iterations[-1])
            reader.join(1)
    except (OSError, TypeError):  # it has ended
        pass
    reader.join()
    if process.wait():
        raise RuntimeError(process.stderr.read() if process.stderr else "")


def compare(observations: list[Observation], iterations: int) -> tuple[str, bool]:
    """Return a Markdown table, and whether nothing has grown."""
    early, late = (
        np.array([astuple(o) for o in observations if first < o.iteration <= first + WINDOW])
        for first in (WINDOW, iterations - WINDOW)
    )
    lines = [markdown.header("", "iterations 500 to 1,000", "last 500")]
    stable = True
    for column, name in enumerate(COLUMNS[1:], start=1):
        if name == "mebibytes":
            before, after = np.median(early[:, column]), np.median(late[:, column])
            stable &= abs(after / before - 1) <= TOLERANCE
            change = f"{after / before - 1:+.1%}"
            cells = f"{before:.0f} MiB", f"{after:.0f} MiB ({change})"
            lines.append(markdown.row("resident memory, median", *cells))
        else:
            before, after = early[:, column].max(), late[:, column].max()
            stable &= after <= before
            lines.append(markdown.row(f"{name}, most", f"{before:.0f}", f"{after:.0f}"))
    return "\n".join(lines), stable


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workdir", type=Path, required=True, help="workdir of the run")
    parser.add_argument("--iterations", type=int, default=5000, help="length of the run")
    parser.add_argument(
        "flags", nargs="*", default=["--config=configs/quickstart.py"], help="flags of the run"
    )
    arguments = parser.parse_args(argv)
    settings = [*FREQUENT, f"num_iterations={arguments.iterations}", "decay_iterations=10000"]
    flags = [*arguments.flags, *(f"--config.{name}" for name in settings)]
    observations = list(watch(flags, arguments.workdir))
    rows, header = [astuple(observation) for observation in observations], ",".join(COLUMNS)
    write_atomically(
        arguments.workdir / "soak.csv",
        lambda file: np.savetxt(file, rows, "%g", delimiter=",", header=header, comments=""),
    )
    table, stable = compare(observations, arguments.iterations)
    print(f"\n{table}")
    sys.exit(not stable)


if __name__ == "__main__":
    main()
