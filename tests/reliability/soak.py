"""Whether a long run grows: its memory, threads, open files and compiled programs.

    python -m tests.reliability.soak --workdir=/tmp/endurance

trains 5,000 iterations of the quickstart's size with samples and checkpoints every 25 and scores
every 250, looks at the process every second, and compares iterations 500 to 1,000 with the last
500. Ends with exit code 1 if the median of resident memory differs by more than 5 %, or any other
count is larger. All that was seen is in endurance.csv in the workdir.
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
GROWTH = 0.05  # of the median of resident memory


@dataclass(frozen=True)
class Seen:
    """A process at one moment."""

    iteration: int
    mebibytes: float  # resident
    threads: int
    files: int  # open
    programs: int  # compiled and kept


COLUMNS = tuple(field.name for field in fields(Seen))


def look(process: int, workdir: Path, iteration: int) -> Seen:
    """Reads Linux' /proc; raises OSError when the process has ended."""
    place = Path("/proc", str(process))
    status = (place / "status").read_text()
    resident, threads = (
        int(re.search(rf"{name}:\s*(\d+)", status)[1]) for name in ("VmRSS", "Threads")
    )
    files = len(list((place / "fd").iterdir()))
    programs = len(list((workdir / "compiled").glob("*-cache")))
    return Seen(iteration, resident / 1024, threads, files, programs)


def watch(flags: list[str], workdir: Path) -> Iterator[Seen]:
    """Runs the program and looks at it every second.

    Raises:
        RuntimeError: it failed.
    """
    program = Program(JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0")
    process = program.start(*flags, f"--workdir={workdir}")
    told = [0]

    def read() -> None:
        for line in process.stdout or ():
            found = re.match(r"\s*(\d+)/\d+ ", line)
            if found:
                told.append(int(found[1]))
                print(line, end="", flush=True)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        while process.poll() is None:
            yield look(process.pid, workdir, told[-1])
            reader.join(1)
    except (OSError, TypeError):  # it ended meanwhile
        pass
    reader.join()
    if process.wait():
        raise RuntimeError(process.stderr.read() if process.stderr else "")


def compare(seen: list[Seen], iterations: int) -> tuple[str, bool]:
    """A table in Markdown, and whether nothing has grown."""
    early, late = (
        np.array([astuple(m) for m in seen if first < m.iteration <= first + WINDOW])
        for first in (WINDOW, iterations - WINDOW)
    )
    lines = [markdown.header("", "iterations 500 to 1,000", "last 500")]
    fine = True
    for column, name in enumerate(COLUMNS[1:], start=1):
        if name == "mebibytes":
            before, after = np.median(early[:, column]), np.median(late[:, column])
            fine &= abs(after / before - 1) <= GROWTH
            change = f"{after / before - 1:+.1%}"
            cells = f"{before:.0f} MiB", f"{after:.0f} MiB ({change})"
            lines.append(markdown.row("resident memory, median", *cells))
        else:
            before, after = early[:, column].max(), late[:, column].max()
            fine &= after <= before
            lines.append(markdown.row(f"{name}, most", f"{before:.0f}", f"{after:.0f}"))
    return "\n".join(lines), fine


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workdir", type=Path, required=True)
    parser.add_argument("--iterations", type=int, default=5000)
    parser.add_argument("flags", nargs="*", default=["--config=configs/quickstart.py"])
    arguments = parser.parse_args(argv)
    own = [*FREQUENT, f"num_iterations={arguments.iterations}", "decay_iterations=10000"]
    flags = [*arguments.flags, *(f"--config.{name}" for name in own)]
    seen = list(watch(flags, arguments.workdir))
    rows, header = [astuple(moment) for moment in seen], ",".join(COLUMNS)
    write_atomically(
        arguments.workdir / "endurance.csv",
        lambda file: np.savetxt(file, rows, "%g", delimiter=",", header=header, comments=""),
    )
    table, fine = compare(seen, arguments.iterations)
    print(f"\n{table}")
    sys.exit(not fine)


if __name__ == "__main__":
    main()
