"""Inject faults into real runs of the program, and tabulate what the user saw.

    python -m tests.reliability.fault_injection --directory=DIR --output=docs/fault-injection.md

Each affected run is resumed and compared, bit for bit, with an unaffected one. Takes about an hour
on 2 cores; --only=kill injects the faults whose names contain `kill`, --times=1 each of them once.
Needs root to mount the disks that it fills.
"""

import argparse
import signal
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gcgan_jax.report import markdown
from tests.reliability.faults import damage, disk, hosts, kills
from tests.reliability.faults.runs import PERIOD, Runs, Trial, Trials
from tests.reliability.pages import renew

QUICKSTART = ["--config=configs/quickstart.py", f"--config.iterations_per_call={PERIOD}"]
ITERATIONS = 330  # of the reference run
COLUMNS = ("fault", "tried", "survived", "what the user saw")
NEVER = 10**6 * PERIOD  # a period longer than any run


@dataclass(frozen=True)
class Fault:
    """A kind of fault, and how often to inject it."""

    name: str
    times: int
    trials: Trials


def _without(*names: str) -> tuple[str, ...]:
    return tuple(f"--config.{name}_every={NEVER}" for name in names)


FAULTS = (
    Fault("`kill -9` at a random moment of one run", 50, kills.kill_at_random),
    Fault("`kill -9` in the middle of a save", 20, kills.kill_while_saving),
    Fault("SIGTERM while training", 3, kills.stop_training(signal.SIGTERM)),
    Fault("Ctrl-C while training", 3, kills.stop_training(signal.SIGINT)),
    Fault("SIGTERM while compiling", 3, kills.stop_compiling(signal.SIGTERM)),
    Fault("Ctrl-C while compiling", 3, kills.stop_compiling(signal.SIGINT)),
    Fault("SIGTERM while scoring", 3, kills.stop_scoring),
    Fault("a second Ctrl-C", 3, kills.stop_twice),
    Fault("newest checkpoint truncated", 5, damage.newest_corrupted(damage.truncate)),
    Fault("file of the newest missing", 5, damage.newest_corrupted(damage.remove_file)),
    Fault("empty step directory", 3, damage.newest_corrupted(damage.empty)),
    Fault("one byte of the newest flipped", 20, damage.newest_corrupted(damage.flip_byte)),
    Fault("all checkpoints damaged", 3, damage.all_corrupted),
    Fault("disk full while saving", 3, disk.disk_full(*_without("log", "sample"))),
    Fault("disk full while writing samples", 3, disk.disk_full(*_without("log", "checkpoint"))),
    Fault("disk full while writing metrics", 3, disk.disk_full(*_without("sample", "checkpoint"))),
    Fault("two processes on one workdir, then a stale lock", 3, disk.workdir_in_use),
    Fault("workdir read-only", 3, disk.disk_read_only),
    Fault("file in the workdir's place", 3, disk.workdir_is_a_file),
    Fault("NaN in the losses", 3, damage.not_finite("nan", "critic_gradients")),
    Fault("infinite gradients", 3, damage.not_finite("inf", "generator_gradients")),
    Fault("clock a day behind", 3, damage.clock_set_back),
    Fault("metrics cut off in mid-line", 3, damage.metrics_truncated),
    Fault("one of two hosts dies", 4, hosts.host_dies(1)),
    Fault("one of two hosts with two devices each dies", 2, hosts.host_dies(2)),
    Fault("one of two hosts compiles 45 s longer", 2, hosts.host_is_late),
)  # fmt: skip


def inject(fault: Fault, runs: Runs, times: int) -> tuple[int, int, str]:
    """Return the numbers of trials and of survivals, and what was seen most often."""
    trials: list[Trial] = []
    try:
        trials.extend(fault.trials(runs, times))
    except Exception as error:  # the remaining faults are injected all the same
        trials.append(Trial(False, f"the injection itself failed: {error!r}"))
    (seen, _), *_ = Counter(trial.seen for trial in trials).most_common(1)
    return len(trials), sum(trial.survived for trial in trials), seen


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--directory", type=Path, help="parent of all workdirs; default: a temporary directory"
    )
    parser.add_argument("--only", default="", help="inject only faults whose names contain this")
    parser.add_argument("--times", type=int, help="number of trials per fault")
    parser.add_argument("--output", type=Path, help="page whose rows of these faults to renew")
    arguments = parser.parse_args(argv)
    chosen = [fault for fault in FAULTS if arguments.only in fault.name]
    with tempfile.TemporaryDirectory() as temporary:
        runs = Runs(arguments.directory or Path(temporary), QUICKSTART, ITERATIONS)
        try:
            for fault in chosen:
                tried, survived, seen = inject(fault, runs, arguments.times or fault.times)
                row = markdown.row(fault.name, tried, survived, seen)
                print(row, flush=True)
                if arguments.output:
                    tables = {COLUMNS: [fault.name for fault in FAULTS]}
                    renew(arguments.output, tables, {fault.name: row}, "{rows} faults.")
        finally:
            runs.program.close()


if __name__ == "__main__":
    main()
