"""Run the study: `python -m scripts.study --workdir=DIR`.

Runs the jobs of `scripts/study/runs.py` that have no line in docs/results/study.jsonl, one a core,
and adds a line for each that finishes. Rerun the same command to resume. `--list` shows what was
run, what is missing, and what was left out and why; `--page=docs/why.md` draws that page's tables
and figures from the results. Flags after `--` go to the program: `-- --config.data.dir=DIR`.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from gcgan_jax.runtime.preemption import exit_code
from scripts import ROOT
from scripts.study import ablation, gan, graphs, worker
from scripts.study.harness import Harness
from scripts.study.jobs import Job, Results, chosen, obstacle
from scripts.study.lines import Line, append_line, as_results, cores, read_lines, results_of
from scripts.study.page import redraw
from scripts.study.runs import DECIDES, JOBS

RESULTS = ROOT / "docs" / "results" / "study.jsonl"
KINDS = {"gan": gan, "ablation": ablation, "graphs": graphs} | dict.fromkeys(
    ("bench", "critic_alone", "headroom", "non_local_means"), worker
)


def main(argv: Sequence[str] | None = None) -> None:
    arguments = parse_arguments(argv)
    try:
        jobs = chosen(JOBS, arguments.only)
    except ValueError as error:
        sys.exit(f"--only: {error}")
    finished = results_of(JOBS, read_lines(arguments.results))
    if arguments.list:
        print(listing(jobs, finished))
        return
    if arguments.page:
        redraw(as_results(finished), arguments.page)
        return
    harness = Harness(KINDS, arguments.workdir, arguments.flags, cores()[: arguments.jobs])
    try:
        failed = harness.run(
            [job for job in jobs if job not in finished],
            lambda: as_results(results_of(JOBS, read_lines(arguments.results))),
            lambda line: append_line(arguments.results, line),
        )
    except KeyboardInterrupt:
        sys.exit(exit_code(signal.SIGINT))
    sys.exit(f"{len(failed)} jobs failed" if failed else 0)


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workdir", type=Path, help="directory of the jobs' working directories")
    parser.add_argument("--only", type=names, default=[], help="some runs, e.g. A2,A3")
    parser.add_argument("--jobs", type=int, default=len(cores()), help="jobs at a time")
    parser.add_argument("--list", action="store_true", help="show all jobs, and run none")
    parser.add_argument("--page", type=Path, help="draw the tables and figures of this page")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file of the results")
    parser.add_argument("flags", nargs="*", help="flags of the program, after --")
    arguments = parser.parse_args(argv)
    if not (arguments.workdir or arguments.list or arguments.page):
        parser.error("--workdir: name a directory, or pass --list or --page")
    if not 1 <= arguments.jobs <= len(cores()):
        parser.error(f"--jobs={arguments.jobs}: choose 1 to {len(cores())}, one a core")
    return arguments


def names(text: str) -> list[str]:
    return text.split(",")


def listing(jobs: Sequence[Job], finished: dict[Job, Line]) -> str:
    """Return one line for each job, under what its run decides."""
    results, lines = as_results(finished), list[str]()
    for run in dict.fromkeys(job.run for job in jobs):
        lines.append(f"{run}: {DECIDES[run]}")
        lines += [
            f"  {job.arm}, seed {job.seed}: {state(job, finished.get(job), results)}"
            for job in jobs
            if job.run == run
        ]
    return "\n".join(lines)


def state(job: Job, line: Line | None, results: Results) -> str:
    if line:
        return f"done in {line['seconds']:.0f} s{' after resuming' if line['resumed'] else ''}"
    return obstacle(job, results) or f"to run, about {job.minutes:g} minutes"


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    main()
