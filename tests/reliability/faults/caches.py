"""Caches that several programs share, or that cannot be used."""

import shutil
import subprocess
from collections.abc import Iterator

from gcgan_jax.evaluation.results import read_records
from tests.program import ended, reach
from tests.reliability.faults.disk import filled, small_disk
from tests.reliability.faults.runs import PERIOD, Runs, Trial, Trials

SCORED = (
    f"--config.eval_every={PERIOD}",
    "--config.eval.network=classifier",
    "--config.eval.protocol=small",
    "--config.data.twins.num_train=6000",
)


def shared_by_two(runs: Runs, times: int) -> Iterator[Trial]:
    """Start two runs together that fill the same empty cache, and the same compilation cache."""
    for _ in range(times):
        flags = [*SCORED, f"--config.eval.cache={runs.new_workdir('features')}"]
        flags.append(f"--config.compilation_cache={runs.new_workdir('programs')}")
        workdirs = [runs.new_workdir(f"sharing-{name}") for name in "ab"]
        both = [runs.start(workdir, *flags, until=PERIOD) for workdir in workdirs]
        ends = [ended(process, seconds=3600) for process in both]
        survived = all((code, err) == (0, "") for code, _, err in ends)
        scores = [[r.value for r in read_records(w / "scores.jsonl")] for w in workdirs]
        yield Trial(survived and len(scores[0]) > 0 and scores[0] == scores[1], "no message")


def unusable(how: str) -> Trials:
    """Score with a cache on a disk that is full or read-only."""

    def trials(runs: Runs, times: int) -> Iterator[Trial]:
        for _ in range(times):
            with small_disk(runs.directory / "small") as disk:
                workdir = runs.new_workdir("uncached")
                flags = [*SCORED, f"--config.eval.cache={disk / 'cache'}"]
                flags.append(f"--config.compilation_cache={disk / 'programs'}")
                if how == "full":
                    with filled(disk):
                        code, out, err = runs.finish(workdir, *flags, until=PERIOD)
                else:
                    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
                    code, out, err = runs.finish(workdir, *flags, until=PERIOD)
                lines = [line for line in out.splitlines() if "cache" in line]
                survived = (code, err) == (0, "") and len(
                    read_records(workdir / "scores.jsonl")
                ) > 0
                yield Trial(survived, runs.without_paths("; ".join(lines)))

    return trials


def cache_deleted(runs: Runs, times: int) -> Iterator[Trial]:
    """Delete the caches while a run uses them."""
    for _ in range(times):
        workdir, cache = runs.new_workdir("deleted"), runs.new_workdir("cache")
        process = runs.start(workdir, *SCORED, f"--config.eval.cache={cache}", until=4 * PERIOD)
        reach(process, "scores of iteration")
        shutil.rmtree(cache)
        code, _, err = ended(process, seconds=3600)
        survived = (code, err) == (0, "") and len(read_records(workdir / "scores.jsonl")) > 5
        yield Trial(survived, "no message")
