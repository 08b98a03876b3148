"""The thesis's Table 4.1 by one command: seven rows, and two with constant batch, over seeds.

    python -m scripts.table_4_1 --workdir=runs/table --seeds=3

trains every row with every seed to its last iteration, scores it, and writes table.md and table.csv
into the workdir. What is done already is not done again; what was stopped, as by Ctrl-C, is
resumed, and more --iterations are added to those that are done. All seeds of a row use one compiled
program. On a SLURM cluster, one job for each row and seed:

    python -m scripts.table_4_1 --workdir=runs/table --seeds=3 --cluster=slurm --jobs=27 \
        --parameters=slurm_partition=gpu,gpus_per_node=1,timeout_min=2880

Flags behind `--` go to the program: `-- --config.data.dir=DIR --config.eval.network=inception`.
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
from gcgan_jax.runtime.preemption import SIGNALS, exit_code
from gcgan_jax.storage.atomic import write_text
from gcgan_jax.storage.json_lines import read_json_lines

ROOT = Path(__file__).parents[1]
TOLD_EVERY = 30  # seconds


@dataclass(frozen=True)
class Job:
    """One row with one seed; `flags` of the program."""

    row: str
    seed: int
    workdir: Path
    iterations: int
    flags: tuple[str, ...]

    @property
    def score(self) -> list[Record]:
        """The records of the last iteration; none if it has not come to it."""
        return [
            record
            for record in read_records(self.workdir / "scores.jsonl")
            if record.step == self.iterations and not record.ema
        ]

    @property
    def iteration(self) -> int:
        """Where its training is."""
        rows = read_json_lines(self.workdir / "metrics.jsonl")
        return rows[-1]["step"] if rows else 0


def make_jobs(arguments: argparse.Namespace) -> list[Job]:
    chosen = arguments.rows.split(",") if arguments.rows else list(ROWS)
    unknown = [name for name in chosen if name not in ROWS]
    if unknown:
        sys.exit(f"--rows={arguments.rows}: no row {unknown[0]!r}; there are {', '.join(ROWS)}")
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
            own = [f"--config={ROWS[name].config}", f"--workdir={workdir.absolute()}"]
            flags = (*own, f"--config.seed={seed}", *shared)
            jobs.append(Job(name, seed, workdir, arguments.iterations, flags))
    return jobs


def run(job: Job) -> str:
    """Trains and scores; the program's last words if it failed, else "".

    Asked to stop, it has the program save, which therefore has a session of its own: a signal to
    all of this one would be its second, at which it leaves at once.
    """
    job.workdir.mkdir(parents=True, exist_ok=True)
    console = job.workdir / "console.txt"
    command = [sys.executable, "-m", "gcgan_jax.main", *job.flags]
    with console.open("a") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )

    def stop(*_: object) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        process.terminate()

    for number in SIGNALS:
        signal.signal(number, stop)
    code = process.wait()
    last = console.read_text().rstrip().rpartition("\n")[2]
    told = last.startswith("gcgan_jax: ")
    return (last if told else f"exit code {code}, see {console}") if code else ""


def submit(executor: submitit.Executor, job: Job) -> Any:
    """Its processes leave Ctrl-C to this one."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return executor.submit(run, replace(job, workdir=job.workdir.absolute()))
    finally:
        signal.signal(signal.SIGINT, before)


def stop_all(running: list[tuple[Job, Any]]) -> None:
    """Returns when all have saved."""
    print("stopping; the same command goes on from there", flush=True)
    for _, submitted in running:
        if isinstance(submitted, submitit.LocalJob):
            os.kill(int(submitted.job_id), signal.SIGTERM)  # its own way gives a second to save
        else:
            submitted.cancel(check=False)
    while not all(submitted.done() for _, submitted in running):
        time.sleep(1)


def run_all(jobs: list[Job], executor: submitit.Executor, at_once: int) -> dict[Job, str]:
    """Keeps `at_once` jobs going and reports progress; what failed, with its last words.

    Raises:
        KeyboardInterrupt: it was stopped, and so is what ran.
    """
    todo = [job for job in jobs if not job.score]
    waiting = list(todo)
    running: list[tuple[Job, Any]] = []
    failed: dict[Job, str] = {}
    began, told = time.monotonic(), float("-inf")
    at_start = sum(job.iteration for job in todo)
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                job = waiting.pop(0)
                running.append((job, submit(executor, job)))
            for job, submitted in [pair for pair in running if pair[1].done()]:
                running.remove((job, submitted))
                words = str(submitted.exception() or submitted.result())
                if words:
                    failed[job] = words
                print(f"{job.row}, seed {job.seed}: {words or 'done'}", flush=True)
            if time.monotonic() - told > TOLD_EVERY:
                told = time.monotonic()
                names = ", ".join(f"{job.row}/{job.seed} at {job.iteration}" for job, _ in running)
                left = time_left(todo, at_start, told - began)
                print(f"{names}; {len(waiting)} more; {left} left", flush=True)
            time.sleep(1)
    except KeyboardInterrupt:
        stop_all(running)
        raise
    return failed


def time_left(todo: list[Job], at_start: int, seconds: float) -> timedelta | str:
    """By the iterations that were done in those seconds; "?" as long as there are none."""
    done = sum(job.iteration for job in todo)
    if done <= at_start:
        return "?"
    whole = sum(job.iterations for job in todo)
    return timedelta(seconds=round((whole - done) * seconds / (done - at_start)))


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workdir", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--iterations", type=int, default=100_000)
    parser.add_argument(
        "--width", type=int, help="of the generator; the critic's are in proportion"
    )
    parser.add_argument("--rows", help=f"some of {','.join(ROWS)}")
    parser.add_argument("--score", default="classifier_score")
    parser.add_argument("--jobs", type=int, default=1, help="at once")
    parser.add_argument("--cluster", default="local", choices=["local", "slurm"])
    parser.add_argument("--parameters", default="", help="of submitit: name=value,name=value")
    parser.add_argument("flags", nargs="*", help="of the program, behind --")
    arguments = parser.parse_args(argv)
    jobs = make_jobs(arguments)
    executor = submitit.AutoExecutor(arguments.workdir / "jobs", cluster=arguments.cluster)
    given = dict(pair.split("=", 1) for pair in arguments.parameters.split(",") if pair)
    executor.update_parameters(
        **{"timeout_min": 7 * 24 * 60}
        | {name: int(value) if value.isdigit() else value for name, value in given.items()}
    )
    try:
        failed = run_all(jobs, executor, arguments.jobs)
    except KeyboardInterrupt:
        sys.exit(exit_code(signal.SIGINT))
    found = {
        name: [
            record
            for job in jobs
            for record in job.score
            if job.row == name and record.score == arguments.score
        ]
        for name in dict.fromkeys(job.row for job in jobs)
    }
    table = summarise(found)
    for name, text in {"table.md": as_markdown(table), "table.csv": as_csv(table)}.items():
        write_text(arguments.workdir / name, text)
    print(f"\n{as_markdown(table)}")
    sys.exit(f"{len(failed)} of {len(jobs)} jobs failed" if failed else 0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    main()
