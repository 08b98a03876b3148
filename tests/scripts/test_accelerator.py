"""The accelerator's measurements: their order and budget, what a rerun does, and a killed run."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from scripts.benchmark.accelerator import __main__ as accelerator
from scripts.benchmark.accelerator.plan import FULL, PARTS, TOY, Measurement, plan, remaining
from scripts.benchmark.accelerator.session import Workers, measure_all
from scripts.benchmark.cases import SELECTIONS, parse
from tests.program import SECONDS, Program

CHECKS = ["kNN", "ECC"]


def test_full_plan() -> None:
    measurements = plan(PARTS, FULL, CHECKS, pytorch=True)
    assert len({(one.part, one.key) for one in measurements}) == len(measurements)
    speed = [one for one in measurements if one.part == "speed"]
    names = [one.subject for one in speed if one.implementation == "jax"]
    combinations = 2 * 2 * 3  # of batch size, dtype and k
    assert sum(name.startswith("forward:knn") for name in names) == combinations * len(SELECTIONS)
    assert sum(name.startswith("gradient:ecc") for name in names) == combinations
    assert sum(name.startswith("iteration:ecc") for name in names) == 4 * combinations
    assert sum(name.startswith("iteration:baseline") for name in names) == 2 * 2 * 2
    assert {one.implementation for one in speed} == {"jax", "eager", "channels_last", "compiled"}
    assert [parse(one.subject).batch for one in speed] == sorted(
        parse(one.subject).batch for one in speed
    )


def test_without_pytorch_only_jax_is_measured() -> None:
    measurements = plan(PARTS, FULL, CHECKS, pytorch=False)
    assert {one.implementation for one in measurements} == {"jax"}
    assert set(measurements) < set(plan(PARTS, FULL, CHECKS, pytorch=True))


def test_each_network_has_a_process_of_its_own() -> None:
    def process(name: str) -> str:
        return Measurement("speed", "jax", name).process

    networks = ["iteration:baseline@32", "iteration:ecc:8@32", "iteration:ecc:8@256"]
    assert len({process(name) for name in networks}) == 3
    assert process(f"{networks[1]}/iterations_per_call=50") == process(networks[1])
    assert process("forward:knn:8@32") == process("gradient:ecc:16@256/dtype=bfloat16")


SLOW = {"error": "took longer"}


class Device:
    """Answers after 10 s, and is interrupted or too slow when asked for some measurements."""

    def __init__(self, **answers: Any) -> None:
        self.answers, self.asked, self.now = answers, [], 0.0

    def ask(self, measurement: Measurement, seconds: float) -> dict[str, Any]:
        self.asked.append(measurement.subject)
        answer = self.answers.get(measurement.subject, {"seconds": [10.0]})
        if answer is KeyboardInterrupt:
            raise answer
        self.now += seconds if answer is SLOW else min(10, seconds)
        return answer


def run(device: Device, results: dict, subjects: str, budget: float, part: str = "speed") -> None:
    def save(measurement: Measurement, result: dict[str, Any]) -> None:
        results.setdefault(measurement.part, {})[measurement.key] = result

    measurements = [Measurement(part, "jax", subject) for subject in subjects]
    measure_all(measurements, results, device.ask, save, budget, clock=lambda: device.now)


def test_an_interrupted_run_is_continued() -> None:
    results: dict = {}
    with pytest.raises(KeyboardInterrupt):
        run(Device(c=KeyboardInterrupt), results, "abcd", 100)
    assert list(results["speed"]) == ["jax a", "jax b"]
    device = Device()
    run(device, results, "abcd", 100)
    assert device.asked == ["c", "d"]
    assert list(results["speed"]) == ["jax a", "jax b", "jax c", "jax d"]


def test_errors_are_results_that_a_rerun_repeats_last() -> None:
    results: dict = {}
    run(Device(a={"error": "out of memory"}), results, "ab", 100)
    assert results["speed"]["jax a"] == {"error": "out of memory"}
    device = Device()
    run(device, results, "abc", 100)
    assert device.asked == ["c", "a"]
    assert not remaining([Measurement("speed", "jax", "a")], results)


def test_budget_is_not_exceeded() -> None:
    device, results = Device(a=SLOW), {}
    run(device, results, "abcd", 36)
    assert (device.now, device.asked) == (36, ["a", "b", "c", "d"])  # a took a third, d the rest
    assert results["speed"]["jax a"] == SLOW
    run(device, results, "abcde", 10)
    assert device.asked[4:] == ["e", "a"]  # each within a third


def test_parts_share_the_budget() -> None:
    starts: dict[str, float] = {}
    now = 0.0

    def ask(measurement: Measurement, seconds: float) -> dict[str, Any]:
        nonlocal now
        starts.setdefault(measurement.part, now)
        now += seconds  # takes all that it may
        return {}

    measurements = [
        Measurement(part, "jax", name) for part in ("profile", "training") for name in "abcd"
    ]
    measure_all(measurements, {}, ask, lambda *_: None, 90, clock=lambda: now)
    assert starts == {"profile": 0, "training": pytest.approx(20)}
    assert now == pytest.approx(90)


def test_missing_pytorch_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workers = Workers(tmp_path, TOY, toy=True)
    assert accelerator.describe_pytorch(workers, "cpu", find=lambda _: None) is None
    assert accelerator.describe_pytorch(workers, "tpu", find=lambda _: True) is None
    assert capsys.readouterr().out.count("it is left out\n") == 2


def test_results_of_another_device_are_kept_apart(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    before = {"device": "H100", "date": "2026-01-01", "pytorch": {"peer": "plain gathers"}}
    stored = {"environment": before, "planned": {}, "measured": {"speed": {"jax a": {}}}}
    path.write_text(json.dumps(stored))
    same = {"device": "H100", "date": "2026-01-02", "pytorch": None}
    assert accelerator.started(path, same, []) == stored
    with pytest.raises(SystemExit, match="with device = H100, and this is H200: choose another"):
        accelerator.started(path, same | {"device": "H200"}, [])


def test_unknown_part_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        accelerator.main(["--out=unused", "--parts=speed,nothing"])
    assert "unknown part 'nothing': choose from operators, speed," in capsys.readouterr().err


def test_a_killed_run_leaves_what_was_finished(tmp_path: Path, compiled: Path) -> None:
    program = Program(JAX_COMPILATION_CACHE_DIR=str(compiled))
    path = tmp_path / "results.json"
    flags = ("--toy", f"--out={tmp_path}", "--parts=operators")
    runs = []
    try:
        for _ in range(2):
            before = rows(path)
            process = program.start(*flags, module=("scripts.benchmark.accelerator",))
            until = time.monotonic() + SECONDS
            while len(rows(path)) == len(before):
                assert process.poll() is None and time.monotonic() < until
                time.sleep(0.1)
            process.send_signal(signal.SIGKILL)
            process.wait()
            runs.append(rows(path))
    finally:
        program.close()
    first, second = runs
    assert first and all(row["agrees"] for row in second.values())
    assert list(second.items())[: len(first)] == list(first.items())
    assert f"Measured: {len(second)} of 19." in path.with_suffix(".md").read_text()


def rows(path: Path) -> dict[str, dict[str, Any]]:
    if not path.exists():
        return {}
    return json.loads(path.read_text())["measured"].get("operators", {})
