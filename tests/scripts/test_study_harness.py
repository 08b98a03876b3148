"""The study's harness: order, cores, conditions and failures; and what a killed one leaves."""

import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from scripts.study.__main__ import KINDS
from scripts.study.conditions import CriticSees
from scripts.study.harness import Harness
from scripts.study.jobs import Job, Results
from tests.program import SECONDS, Program

WORK = """
import json, os, sys, time
from pathlib import Path
workdir, d_prime, seconds = Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
(workdir / "process").write_text(f"{os.getpid()}")
began = time.monotonic()
time.sleep(seconds)
if d_prime < 0:
    sys.exit("gcgan_jax: d_prime is negative")
found = {"d_prime": d_prime, "core": sorted(os.sched_getaffinity(0))}
found["threads"] = os.environ["OMP_NUM_THREADS"]
found["time"] = [began, time.monotonic()]
(workdir / "result.json").write_text(json.dumps(found))
"""


class Fake:
    """A kind of job that waits."""

    def commands(self, job: Job, root: Path, flags: Sequence[str]) -> list[list[str]]:
        settings = (str(job.settings[name]) for name in ("d_prime", "seconds"))
        return [[sys.executable, "-c", WORK, str(job.workdir(root)), *settings]]

    def result(self, job: Job, root: Path) -> dict[str, Any] | None:
        path = job.workdir(root) / "result.json"
        return json.loads(path.read_text()) if path.exists() else None


def job(arm: str, d_prime: float = 2.0, seconds: float = 0.0, **changes: Any) -> Job:
    settings = {"d_prime": d_prime, "seconds": seconds}
    return replace(Job("A", arm, 0, "fake", settings, 1), **changes)


@dataclass
class Study:
    """A harness, and the results that it stored, in their order."""

    harness: Harness
    finished: dict[str, dict]

    def run(self, jobs: Sequence[Job]) -> dict[Job, str]:
        def results() -> Results:
            return Results({("A", arm, 0): line["result"] for arm, line in self.finished.items()})

        def finish(line: dict[str, Any]) -> None:
            self.finished[line["arm"]] = line

        return self.harness.run(jobs, results, finish)


def study(root: Path, cores: Sequence[int]) -> Study:
    return Study(Harness({"fake": Fake()}, root, [], cores), {})


def test_jobs_run_in_order_each_on_its_core(tmp_path: Path) -> None:
    cores = sorted(os.sched_getaffinity(0))[:2]
    run = study(tmp_path, cores)
    assert run.run([job(arm, seconds=0.5) for arm in "abcd"]) == {}
    results = {arm: line["result"] for arm, line in run.finished.items()}
    assert set(results) == set("abcd")
    assert {core for result in results.values() for core in result["core"]} == set(cores)
    assert all(len(result["core"]) == 1 and result["threads"] == "1" for result in results.values())
    for core in cores:
        times = [result["time"] for result in results.values() if result["core"] == [core]]
        assert all(a[1] <= b[0] for a, b in zip(sorted(times), sorted(times)[1:], strict=False))
    assert not run.finished["a"]["resumed"] and run.finished["a"]["seconds"] >= 0.5


def test_conditions_are_asked_again_and_failures_do_not_stop_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = study(tmp_path, [min(os.sched_getaffinity(0))])
    sees = (CriticSees("A", "critic", at_least=1.0),)
    jobs = [job("after", conditions=sees), job("bad", d_prime=-1.0), job("critic")]
    never = job("never", conditions=(CriticSees("A", "critic", at_least=3.0),))
    failed = run.run([*jobs, never])
    assert list(run.finished) == ["critic", "after"]
    assert failed == {jobs[1]: "gcgan_jax: d_prime is negative"}
    assert "A, bad, seed 0: gcgan_jax: d_prime is negative\n" in capsys.readouterr().out


def main(root: str) -> None:
    """Run a job that takes long, for the test below."""
    study(Path(root), [min(os.sched_getaffinity(0))]).run([job("long", seconds=1000)])


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, -signal.SIGINT)]
)
def test_a_killed_harness_leaves_no_process(tmp_path: Path, number: int, code: int) -> None:
    process = job("long", seconds=1000).workdir(tmp_path) / "process"
    program = Program()
    try:
        harness = program.start(str(tmp_path), module=(__name__,))
        until = time.monotonic() + SECONDS
        while not process.exists() or not process.read_text():
            assert harness.poll() is None and time.monotonic() < until
            time.sleep(0.05)
        harness.send_signal(number)
        assert harness.wait() in (code, 1, 130)
        while Path("/proc", process.read_text()).exists():
            assert time.monotonic() < until
            time.sleep(0.05)
    finally:
        program.close()


TOY = {
    "config": "configs/quickstart.py",
    "num_iterations": 2,
    "iterations_per_call": 1,
    "batch_size": 4,
    "n_critic": 1,
    "log_every": 1,
    "sample_images": 4,
    "diagnostic_images": 4,
    "show.ablation_images": 20,
    "generator.width": 16,
    "critic.widths": (4, 6, 8),
    "data.name": "echo",
    "data.echo.num_train": 64,
    "data.echo.num_test": 16,
}


@pytest.mark.slow
def test_the_program_is_trained_and_ablated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "true")
    trained = Job("A", "knn", 1, "gan", TOY, 1)
    ablated = replace(trained, arm="ablated", kind="ablation", folder=trained.place)
    run = Study(Harness(KINDS, tmp_path, [], [min(os.sched_getaffinity(0))]), {})
    assert run.run([trained, ablated]) == {}
    result = run.finished["knn"]["result"]
    assert {"agreement", "same", "richness", "structure_error"} <= result["scores"].keys()
    assert result["curves"]["step"] == [1, 2] and len(result["curves"]["echo/agreement"]) == 2
    assert run.finished["ablated"]["resumed"]
    rules = run.finished["ablated"]["result"]["rules"]["running"]
    assert len(rules["self"]["agreement"]) == 3


if __name__ == "__main__":
    main(sys.argv[1])
