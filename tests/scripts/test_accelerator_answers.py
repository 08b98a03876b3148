"""What the accelerator's workers measure, at toy size."""

import json
from importlib.util import find_spec
from typing import Any

import pytest

from scripts.benchmark.accelerator.jax_answers import advance, answer
from scripts.benchmark.accelerator.plan import TOY


def ask(part: str, subject: str, **request: Any) -> dict[str, Any]:
    request = {"part": part, "subject": subject, "seconds": 0.01, "limit": 1e6} | request
    result = answer(request, toy=True)
    return json.loads(json.dumps(result))  # as a worker sends it


def test_environment() -> None:
    environment = ask("environment", "")
    assert environment["platform"] == "cpu" and environment["devices"] == 8
    assert environment["jax"] and environment["python"].startswith("3.")


def test_operators() -> None:
    result = ask("operators", "EdgeConv, max")
    assert result["agrees"] and result["error_at_highest"] < 1e-5
    assert result["error_at_default"] < 1e-5  # on a CPU, which has one precision


@pytest.mark.parametrize(
    "case", ["forward:knn:3@4", "gradient:edge_conv:3@4/dtype=bfloat16", "sampling:baseline@8"]
)
def test_cases(case: str) -> None:
    result = ask("speed", case)
    assert len(result["seconds"]) >= 3 and min(result["seconds"]) > 0 and result["calls"] >= 1


def test_errors_are_one_line() -> None:
    error = ask("speed", "forward:knn:300@4")["error"]
    assert error.startswith("UserError: config.generator.graph_layer") and "k = 300" in error


@pytest.mark.slow
def test_training() -> None:
    case = "iteration:baseline@4/iterations_per_call=2"
    result = ask("training", case, iterations=TOY.iterations)
    assert result["iterations"] == TOY.iterations and result["finite"]
    assert result["seconds"] > 0 and abs(result["wasserstein"]) < 10


@pytest.mark.parametrize(("calls", "end", "done"), [(3, 100, 3), (9, 4.5, 4), (9, 1, 0)])
def test_training_stops_after_its_calls_or_its_time(calls: int, end: float, done: int) -> None:
    now = 0

    def run() -> tuple[None, dict[str, int]]:  # the first one is not timed
        nonlocal now
        now += 1
        return None, {"iteration": now}

    timed, seconds, metrics = advance(run, calls, end, clock=lambda: now)
    assert (timed, seconds, metrics) == (done, done, {"iteration": done + 1})


@pytest.mark.slow
def test_quickstart() -> None:
    result = ask("training", "quickstart")
    assert result["iterations"] == 5 and result["finite"]
    assert result["iterations_per_second"] > 0


# As an error, this warning of JAX's reader of traces would abort the process.
@pytest.mark.filterwarnings("ignore:builtin type .* has no __module__:DeprecationWarning")
def test_profile() -> None:
    result = ask("profile", "iteration:edge_conv:3@4")
    kinds, components = result["kinds"], result["components"]
    assert min(kinds["kNN"], kinds["optimiser"], kinds["matrix products"]) > 0
    assert components["knn"] == kinds["kNN"] and components["optimizer"] == kinds["optimiser"]
    assert min(components[name] for name in ("edge_conv", "Critic", "Generator")) > 0
    assert 0 <= kinds["gaps"] < result["seconds"]
    assert result["largest"][0]["seconds"] >= result["largest"][-1]["seconds"] > 0


@pytest.mark.parametrize(
    "case",
    [
        "forward:knn:3@4/dtype=bfloat16",
        "gradient:edge_conv:3@4/dtype=bfloat16",
        "gradient:ecc:3@4",
        "sampling:baseline@8",
        "iteration:edge_conv:3@4/dtype=bfloat16",
    ],
)
def test_pytorch(case: str) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    if find_spec("torch_geometric"):
        pytest.importorskip("torch_geometric")  # ignores the warnings of its import
    from scripts.benchmark.accelerator import pytorch_answers

    request = {"part": "speed", "implementation": "eager", "subject": case, "seconds": 0.01}
    result = pytorch_answers.answer(request, "cpu", toy=True)
    assert len(result["seconds"]) >= 3 and min(result["seconds"]) > 0
    broken = pytorch_answers.answer(request | {"subject": "forward:knn:300@4"}, "cpu", toy=True)
    assert broken["error"].startswith("RuntimeError: ") and "\n" not in broken["error"]
