"""Inject faults into real runs of the program, and tabulate what the user saw.

    python -m tests.reliability.fault_injection --directory=DIR --output=docs/fault-injection.md

Each affected run is resumed and compared, bit for bit, with an unaffected one. Takes more than an
hour on 2 cores; --only='kill|SIG' injects the faults whose names match, --times=1 each of them
once. Needs root to mount the disks that it fills.
"""

import argparse
import re
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gcgan_jax.report import markdown
from gcgan_jax.runtime.preemption import ENDING, WARNING
from tests.reliability.faults import caches, damage, disk, hosts, kills
from tests.reliability.faults.runs import PERIOD, Runs, Trial, Trials
from tests.reliability.invalid_input_cases.case import SMALL
from tests.reliability.pages import renew

FLAGS = [*SMALL, f"--config.iterations_per_call={PERIOD}"]
ITERATIONS = 600  # of the reference run
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


INTERACTIVE = (signal.SIGINT, signal.SIGTERM)
_stop = hosts.stop_hosts
FAULTS = (
    Fault("`kill -9` at a random moment of one run", 50, kills.kill_at_random),
    Fault("`kill -9` in the middle of a save", 20, kills.kill_while_saving(keep=3)),
    Fault("the same, where one checkpoint is kept", 20, kills.kill_while_saving(keep=1)),
    *(
        Fault(f"{name} while training", 3, kills.stop_training(getattr(signal, name)))
        for name in ENDING + WARNING
    ),
    Fault("SIGTERM while compiling", 3, kills.stop_compiling(signal.SIGTERM)),
    Fault("Ctrl-C while compiling", 3, kills.stop_compiling(signal.SIGINT)),
    Fault("SIGTERM while scoring", 3, kills.stop_scoring),
    Fault("SIGTERM twice at once", 5, kills.stop_twice(*[signal.SIGTERM] * 2, pause=0)),
    Fault("Ctrl-C, SIGTERM after 10 ms", 5, kills.stop_twice(*INTERACTIVE, pause=0.01)),
    Fault("Ctrl-C five times in a second", 3, kills.stop_twice(*[signal.SIGINT] * 5, pause=0.2)),
    Fault("GNU `timeout`", 5, kills.stop_by_timeout),
    Fault("terminal closed", 3, kills.terminal_closed),
    Fault("console that closes: `| head -1`", 3, kills.console_gone("| head -1")),
    Fault("console on a full disk", 3, kills.console_gone("> /dev/full 2>&1")),
    Fault("no console at all", 3, kills.console_gone(">&- 2>&-")),
    Fault("newest checkpoint truncated", 5, damage.newest_corrupted(damage.truncate)),
    Fault("file of the newest missing", 5, damage.newest_corrupted(damage.remove_file)),
    Fault("empty step directory", 3, damage.newest_corrupted(damage.empty)),
    Fault("one byte of the newest flipped", 20, damage.newest_corrupted(damage.flip_byte)),
    Fault("all checkpoints damaged", 3, damage.all_corrupted(*[damage.flip_byte] * 3)),
    Fault("a byte of the only one flipped", 5, damage.all_corrupted(damage.flip_byte)),
    Fault("the only one truncated", 5, damage.all_corrupted(damage.truncate)),
    Fault("file of the only one missing", 5, damage.all_corrupted(damage.remove_file)),
    Fault("the only one empty", 3, damage.all_corrupted(damage.empty)),
    Fault("copy of the newest: `cp -a 15 400`", 3, damage.newest_copied(damage.copied_to("400"))),
    Fault("copy of the newest: `cp -a 15 007`", 3, damage.newest_copied(damage.copied_to("007"))),
    Fault("link to the newest: `20 -> 15`", 3, damage.newest_copied(damage.linked_from("20"))),
    Fault("checkpoint of another seed", 3, damage.checkpoint_of_another_seed),
    Fault("config.json of a run missing", 3, damage.config_missing),
    Fault("disk full while saving", 5, disk.disk_full(*_without("log", "sample"))),
    Fault("disk full while writing samples", 3, disk.disk_full(*_without("log", "checkpoint"))),
    Fault("disk full while writing metrics", 3, disk.disk_full(*_without("sample", "checkpoint"))),
    Fault("disk nearly full", 12, disk.disk_full(left=tuple(2**n for n in range(9, 21)))),
    Fault(
        "disk full, where one checkpoint is kept",
        5,
        disk.disk_full(*_without("log", "sample"), "--config.checkpoints_to_keep=1"),
    ),
    Fault("`ulimit -f 0`", 3, disk.file_size_limited(kib=0)),
    Fault("`ulimit -f 16`", 3, disk.file_size_limited(kib=16)),
    Fault("two processes on one workdir, then a stale lock", 3, disk.workdir_in_use),
    Fault("workdir read-only", 3, disk.disk_read_only),
    Fault("file in the workdir's place", 3, disk.workdir_is_a_file),
    Fault("workdir moved during the run", 3, disk.workdir_gone(disk.move)),
    Fault("workdir deleted during the run", 3, disk.workdir_gone(shutil.rmtree)),
    Fault("names such as `run[lr=1]`, killed", 8, disk.hostile_name),
    Fault("two runs that share empty caches", 3, caches.shared_by_two),
    Fault("caches on a full disk", 3, caches.unusable("full")),
    Fault("caches on a read-only disk", 3, caches.unusable("read-only")),
    Fault("cache deleted during the run", 3, caches.cache_deleted),
    Fault("NaN in the losses", 3, damage.not_finite("nan", "critic_gradients")),
    Fault("infinite gradients", 3, damage.not_finite("inf", "generator_gradients")),
    Fault("clock a day behind", 3, damage.clock_set_back),
    Fault("metrics cut off in mid-line", 3, damage.metrics_truncated),
    Fault("resumed on another number of devices", 3, hosts.other_devices),
    Fault("SIGTERM to one or both of two processes", 3, _stop(signal.SIGTERM, 2, hosts.TRAINING)),
    Fault("Ctrl-C to one or both of two processes", 3, _stop(signal.SIGINT, 2, hosts.TRAINING)),
    Fault("the same while they compile", 3, _stop(signal.SIGTERM, 2, hosts.COMPILING)),
    Fault("the same while process 0 scores", 3, _stop(signal.SIGTERM, 2, hosts.SCORING)),
    Fault("SIGTERM to one or all of four processes", 5, _stop(signal.SIGTERM, 4, hosts.TRAINING)),
    Fault("one of two hosts dies", 4, hosts.host_dies(1)),
    Fault("one of two hosts with two devices each dies", 2, hosts.host_dies(2)),
    Fault("one of two hosts compiles 45 s longer", 2, hosts.host_is_late),
)


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
    parser.add_argument(
        "--only", default="", help="inject only faults whose names match this regular expression"
    )
    parser.add_argument("--times", type=int, help="number of trials per fault")
    parser.add_argument("--output", type=Path, help="page whose rows of these faults to renew")
    arguments = parser.parse_args(argv)
    chosen = [fault for fault in FAULTS if re.search(arguments.only, fault.name)]
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # processes inherit it; nohup ignores it
    with tempfile.TemporaryDirectory() as temporary:
        runs = Runs(arguments.directory or Path(temporary), FLAGS, ITERATIONS)
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
