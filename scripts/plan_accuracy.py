"""How well --mode=plan predicts memory and time of Table 4.1's rows, at full width.

    python -m scripts.plan_accuracy -- --config.data.dir=TFDS_DIR

plans each row, then trains it for a few iterations, each in a process of its own, and adds a line
to the records. Rows that have one are skipped. Flags after `--` go to the program.

Memory of training is the peak of the process, the seconds those of its iterations after the first.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from fnmatch import fnmatch
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gcgan_jax.report import markdown
from gcgan_jax.report.statistics import ROWS
from gcgan_jax.storage.atomic import write_text
from gcgan_jax.storage.json_lines import append_json_lines
from gcgan_jax.storage.metrics_log import read_entries
from scripts import ROOT
from scripts.benchmark.interleaved import processor

SEVEN = [name for name in ROWS if not name.endswith("constant")]  # those of the thesis
MIB = 2**20
COLUMNS = (
    *("row", "MiB, planned", "measured", "error"),
    *("s/iteration, planned", "measured", "error", "hours to 100,000"),
)
MARKER = "accuracy"  # of the table in a page

Record = dict[str, Any]


def main(argv: Sequence[str] | None = None) -> None:
    arguments = parse_arguments(argv)
    known = {record["row"] for record in read(arguments.records)}
    for row in SEVEN:
        if fnmatch(row, arguments.rows) and row not in known:
            record = measure(ROWS[row].config, arguments.iterations, arguments.flags)
            append_json_lines(arguments.records, [{"row": row} | record])
            print(json.dumps({"row": row} | record), flush=True)
    print(table(read(arguments.records)))
    if arguments.page:
        parts = {MARKER: table(read(arguments.records))}
        write_text(arguments.page, markdown.filled(arguments.page.read_text(), parts))


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default="*", help="a row or a pattern, e.g. 'ecc-*'")
    parser.add_argument("--iterations", type=int, default=3, help="iterations to train, at least 2")
    parser.add_argument(
        "--records", type=Path, default=Path("docs/results/plan.jsonl"), help="file of all records"
    )
    parser.add_argument("--page", type=Path, help="page whose table is brought up to date")
    parser.add_argument("flags", nargs="*", help="flags of the program")
    return parser.parse_args(argv)


def measure(config: str, iterations: int, flags: Sequence[str]) -> Record:
    """Plan a config and train it for a few iterations.

    Raises:
        ChildProcessError: the program failed.
    """
    with tempfile.TemporaryDirectory() as directory:
        run, plans = Path(directory, "run"), Path(directory, "plan")
        shared = [f"--config={config}", *flags]
        start(*shared, "--mode=plan", f"--out={plans}")
        planned = json.loads((plans / "plan.json").read_text())
        ending = [f"--config.num_iterations={iterations}", f"--config.log_every={iterations}"]
        peak = start(*shared, *ending, f"--workdir={run}", "--config.compilation_cache=off")
        last = read_entries(run).rows[-1]
    return {
        "planned": {name: planned[name] for name in ("peak", "memory", "seconds", "hours")},
        "measured": {"peak": peak, "seconds": 1 / last["iterations_per_second"]},
        "flops": planned["flops"],
        "machine": processor() | {"jax": version("jax")},
    }


def start(*flags: str) -> int:
    """Run the program, and return the peak of its resident memory in bytes."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gcgan_jax.main", *flags], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise ChildProcessError(f"{' '.join(flags)} ended with code {process.returncode}")
    return usage.ru_maxrss * 1024  # this process, from which it is forked, is smaller


def read(path: Path) -> list[Record]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def table(records: Sequence[Record]) -> str:
    lines = [markdown.header(*COLUMNS)]
    for record in records:
        planned, measured = record["planned"], record["measured"]
        memory = [of["peak"] / MIB for of in (planned, measured)]
        seconds = [of["seconds"] for of in (planned, measured)]
        lines.append(
            markdown.row(
                f"`{ROWS[record['row']].config}`",
                *(f"{size:,.0f}" for size in memory),
                error(*memory),
                *(f"{time:.2f}" for time in seconds),
                error(*seconds),
                f"{planned['hours']:.0f}",
            )
        )
    return "\n".join(lines)


def error(planned: float, measured: float) -> str:
    return f"{planned / measured - 1:+.0%}"


if __name__ == "__main__":
    main()
