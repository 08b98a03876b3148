"""Reproduce the thesis's Table 4.1 over seeds: its seven rows, and two with constant batch size.

    python -m scripts.table_4_1 --workdir=runs/table --seeds=3

trains and scores every row with every seed, and writes table.md and table.csv into the workdir.
Rerunning skips completed jobs, resumes interrupted ones (e.g. after Ctrl-C) and continues completed
ones if --iterations is larger. All seeds of a row share one compiled program. On a SLURM cluster,
with one job per row and seed:

    python -m scripts.table_4_1 --workdir=runs/table --seeds=3 --cluster=slurm --jobs=27 \
        --parameters=slurm_partition=gpu,gpus_per_node=1,timeout_min=2880

Flags after `--` go to the program: `-- --config.data.dir=DIR --config.eval.network=inception`.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import submitit

from gcgan_jax.evaluation.results import Record, read_records
from gcgan_jax.report.statistics import ROWS, as_csv, as_markdown, summarise
from gcgan_jax.runtime.preemption import exit_code, handled
from gcgan_jax.storage.atomic import write_text
from gcgan_jax.storage.metrics_log import read_entries
from scripts import ROOT

REPORT_EVERY = 30  # seconds


@dataclass(frozen=True)
class Job:
    """One row with one seed.

    Attributes:
        row: its name in ROWS.
        iterations: number of iterations after which it is scored.
        flags: command line of the program.
    """

    row: str
    seed: int
    workdir: Path
    iterations: int
    flags: tuple[str, ...]

    @property
    def score(self) -> list[Record]:
        """Records of the last iteration; empty before it."""
        return [
            record
            for record in read_records(self.workdir / "scores.jsonl")
            if record.step == self.iterations and not record.ema
        ]

    @property
    def iteration(self) -> int:
        """The last logged iteration."""
        entries = read_entries(self.workdir).rows
        return entries[-1]["step"] if entries else 0


def make_jobs(arguments: argparse.Namespace) -> list[Job]:
    chosen = arguments.rows.split(",") if arguments.rows else list(ROWS)
    unknown = [name for name in chosen if name not in ROWS]
    if unknown:
        sys.exit(f"--rows: unknown row {unknown[0]!r}: choose from {', '.join(ROWS)}")
    shared = [
        f"--config.num_iterations={arguments.iterations}",
        f"--config.eval_every={arguments.iterations}",
        f"--config.compilation_cache={(arguments.workdir / 'compiled').absolute()}",
        *arguments.flags,
    ]
    if arguments.width:
        widths = tuple(round(arguments.width * size / 528) for size in (128, 256, 512))
        shared += [
            f"--config.generator.width={arguments.width}",
            f"--config.critic.widths={widths}",
        ]
    jobs = []
    for name in chosen:
        for seed in range(arguments.seeds):
            workdir = arguments.workdir / name / f"seed-{seed}"
            flags = [f"--config={ROWS[name].config}", f"--workdir={workdir.absolute()}"]
            flags += [f"--config.seed={seed}", *shared]
            jobs.append(Job(name, seed, workdir, arguments.iterations, tuple(flags)))
    return jobs


def run(job: Job) -> str:
    """Train and score; return the program's error message if it failed, else "".

    A signal stops the program, which saves first. It runs in a separate session: otherwise a signal
    to all of this one would be its second, at which it exits without saving.
    """
    job.workdir.mkdir(parents=True, exist_ok=True)
    console = job.workdir / "console.txt"
    command = [sys.executable, "-m", "gcgan_jax.main", *job.flags]
    with console.open("a") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )

    numbers = handled()

    def stop(*_: object) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        process.terminate()

    for number in numbers:
        signal.signal(number, stop)
    code = process.wait()
    last = console.read_text().rstrip().rpartition("\n")[2]
    if not code:
        return ""
    return last if last.startswith("gcgan_jax: ") else f"exit code {code}, see {console}"


def submit(executor: submitit.Executor, job: Job) -> Any:
    """Submit a job whose processes ignore Ctrl-C, which this process handles."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return executor.submit(run, replace(job, workdir=job.workdir.absolute()))
    finally:
        signal.signal(signal.SIGINT, before)


def stop_all(running: list[tuple[Job, Any]]) -> None:
    """Stop all jobs and wait until they have saved."""
    print("stopping: rerun the same command to resume", flush=True)
    for _, submitted in running:
        if isinstance(submitted, submitit.LocalJob):
            os.kill(int(submitted.job_id), signal.SIGTERM)  # its cancel() allows one second to save
        else:
            submitted.cancel(check=False)
    while not all(submitted.done() for _, submitted in running):
        time.sleep(1)


def run_all(jobs: list[Job], executor: submitit.Executor, at_once: int) -> dict[Job, str]:
    """Run up to `at_once` jobs at a time, report progress, and return failed jobs with messages.

    Raises:
        KeyboardInterrupt: after stopping the running jobs.
    """
    todo = [job for job in jobs if not job.score]
    waiting = list(todo)
    running: list[tuple[Job, Any]] = []
    failed: dict[Job, str] = {}
    start, last_report = time.monotonic(), float("-inf")
    iterations_at_start = sum(job.iteration for job in todo)
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                job = waiting.pop(0)
                running.append((job, submit(executor, job)))
            for job, submitted in [pair for pair in running if pair[1].done()]:
                running.remove((job, submitted))
                message = str(submitted.exception() or submitted.result())
                if message:
                    failed[job] = message
                print(f"{job.row}, seed {job.seed}: {message or 'done'}", flush=True)
            if time.monotonic() - last_report > REPORT_EVERY:
                last_report = time.monotonic()
                names = ", ".join(f"{job.row}/{job.seed} at {job.iteration}" for job, _ in running)
                left = time_left(todo, iterations_at_start, last_report - start)
                print(f"{names}; {len(waiting)} more; {left} left", flush=True)
            time.sleep(1)
    except KeyboardInterrupt:
        stop_all(running)
        raise
    return failed


def time_left(todo: list[Job], iterations_at_start: int, seconds: float) -> timedelta | str:
    """Estimate the remaining time from the iterations of the last `seconds`; "?" if there are none.

    Args:
        iterations_at_start: sum over all jobs.
    """
    done = sum(job.iteration for job in todo)
    if done <= iterations_at_start:
        return "?"
    remaining = sum(job.iterations for job in todo) - done
    return timedelta(seconds=round(remaining * seconds / (done - iterations_at_start)))


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workdir", type=Path, required=True, help="output directory")
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds per row")
    parser.add_argument("--iterations", type=int, default=100_000, help="iterations per run")
    parser.add_argument(
        "--width", type=int, help="generator width, with the critic's in proportion"
    )
    parser.add_argument("--rows", help=f"rows to run, comma-separated; default: {','.join(ROWS)}")
    parser.add_argument("--score", default="classifier_score", help="score to tabulate")
    parser.add_argument("--jobs", type=int, default=1, help="maximum number of concurrent jobs")
    parser.add_argument(
        "--cluster", default="local", choices=["local", "slurm"], help="where jobs run"
    )
    parser.add_argument("--parameters", default="", help="submitit's: name=value,name=value")
    parser.add_argument("flags", nargs="*", help="flags of the program, after --")
    return parser.parse_args(argv)


def make_executor(arguments: argparse.Namespace) -> submitit.Executor:
    executor = submitit.AutoExecutor(arguments.workdir / "jobs", cluster=arguments.cluster)
    pairs = dict(pair.split("=", 1) for pair in arguments.parameters.split(",") if pair)
    executor.update_parameters(
        **{"timeout_min": 7 * 24 * 60}
        | {name: int(value) if value.isdigit() else value for name, value in pairs.items()}
    )
    return executor


def main(argv: Sequence[str] | None = None) -> None:
    arguments = parse_arguments(argv)
    jobs = make_jobs(arguments)
    try:
        failed = run_all(jobs, make_executor(arguments), arguments.jobs)
    except KeyboardInterrupt:
        sys.exit(exit_code(signal.SIGINT))
    records = {
        name: [
            record
            for job in jobs
            for record in job.score
            if job.row == name and record.score == arguments.score
        ]
        for name in dict.fromkeys(job.row for job in jobs)
    }
    table = summarise(records)
    for name, text in {"table.md": as_markdown(table), "table.csv": as_csv(table)}.items():
        write_text(arguments.workdir / name, text)
    print(f"\n{as_markdown(table)}")
    sys.exit(f"{len(failed)} of {len(jobs)} jobs failed" if failed else 0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    main()
