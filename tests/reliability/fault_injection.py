"""Faults, played against real runs of the program, and what the user saw of them.

    python -m tests.reliability.fault_injection --directory=/tmp/drill --output=drill.md

Each run that meets a fault is resumed and compared, bit for bit, with one that met none. Takes
about an hour on 2 cores; --only=kill plays the faults whose name holds `kill`, --times=1 each once.
Needs root for the disks that it fills.
"""

import argparse
import signal
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gcgan_jax.report import markdown
from gcgan_jax.storage.atomic import write_text
from tests.reliability.faults import damage, disk, hosts, kills
from tests.reliability.faults.runs import PERIOD, Runs, Trial, Trials

QUICKSTART = ["--config=configs/quickstart.py", f"--config.iterations_per_call={PERIOD}"]
ITERATIONS = 330  # of the run without faults
SELDOM = 10**6 * PERIOD


@dataclass(frozen=True)
class Fault:
    name: str
    times: int
    trials: Trials


def _late(*names: str) -> tuple[str, ...]:
    return tuple(f"--config.{name}_every={SELDOM}" for name in names)


FAULTS = (
    Fault("`kill -9` at a random moment of one run", 50, kills.kill_at_random),
    Fault("`kill -9` in the middle of a save", 20, kills.kill_while_saving),
    Fault("SIGTERM while training", 3, kills.stop_training(signal.SIGTERM)),
    Fault("Ctrl-C while training", 3, kills.stop_training(signal.SIGINT)),
    Fault("SIGTERM while compiling", 3, kills.stop_compiling(signal.SIGTERM)),
    Fault("Ctrl-C while compiling", 3, kills.stop_compiling(signal.SIGINT)),
    Fault("SIGTERM while scoring", 3, kills.stop_scoring),
    Fault("a second Ctrl-C", 3, kills.stop_twice),
    Fault("newest checkpoint truncated", 5, damage.newest_is_harmed(damage.truncate)),
    Fault("file of the newest missing", 5, damage.newest_is_harmed(damage.remove_a_file)),
    Fault("empty step directory", 3, damage.newest_is_harmed(damage.empty)),
    Fault("one byte of the newest flipped", 20, damage.newest_is_harmed(damage.flip_a_byte)),
    Fault("all checkpoints damaged", 3, damage.all_are_harmed),
    Fault("disk full while saving", 3, disk.disk_is_full(*_late("log", "sample"))),
    Fault("disk full while writing samples", 3, disk.disk_is_full(*_late("log", "checkpoint"))),
    Fault("disk full while writing metrics", 3, disk.disk_is_full(*_late("sample", "checkpoint"))),
    Fault("two processes on one workdir, then a stale lock", 3, disk.two_in_one_workdir),
    Fault("workdir read-only", 3, disk.disk_is_read_only),
    Fault("file in the workdir's place", 3, disk.a_file_is_in_its_place),
    Fault("NaN in the losses", 3, damage.not_finite("nan", "critic_gradients")),
    Fault("infinite gradients", 3, damage.not_finite("inf", "generator_gradients")),
    Fault("clock a day behind", 3, damage.clock_is_set_back),
    Fault("metrics cut off in mid-line", 3, damage.metrics_are_cut),
    Fault("one of two hosts dies", 4, hosts.a_host_dies(1)),
    Fault("one of two hosts with two devices each dies", 2, hosts.a_host_dies(2)),
    Fault("one of two hosts compiles 45 s longer", 2, hosts.a_host_is_late),
)  # fmt: skip


def play(fault: Fault, runs: Runs, times: int) -> tuple[int, int, str]:
    """How often it was tried and survived, and what was seen most often."""
    trials: list[Trial] = []
    try:
        trials.extend(fault.trials(runs, times))
    except Exception as error:  # what follows is to be tried all the same
        trials.append(Trial(False, f"the drill itself failed: {error!r}"))
    (seen, _), *_ = Counter(trial.seen for trial in trials).most_common(1)
    return len(trials), sum(trial.survived for trial in trials), seen


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--directory", type=Path, help="of the runs; default: a temporary one")
    parser.add_argument("--only", default="", help="faults whose name holds this")
    parser.add_argument("--times", type=int, help="that each is tried")
    parser.add_argument("--output", type=Path, help="file for the table, in Markdown")
    arguments = parser.parse_args(argv)
    chosen = [fault for fault in FAULTS if arguments.only in fault.name]
    lines = [markdown.header("fault", "tried", "survived", "what the user saw")]
    with tempfile.TemporaryDirectory() as temporary:
        runs = Runs(arguments.directory or Path(temporary), QUICKSTART, ITERATIONS)
        try:
            for fault in chosen:
                tried, survived, seen = play(fault, runs, arguments.times or fault.times)
                lines.append(markdown.row(fault.name, tried, survived, seen))
                print(lines[-1], flush=True)
                if arguments.output:
                    write_text(arguments.output, "\n".join(lines) + "\n")
        finally:
            runs.program.close()


if __name__ == "__main__":
    main()
