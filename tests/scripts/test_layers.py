"""The benchmark of graphs, operators and merges, and its page."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from gcgan_jax.errors import UserError
from gcgan_jax.graphs import GRAPHS
from gcgan_jax.layers.merge import MERGES
from gcgan_jax.operators import OPERATORS
from gcgan_jax.report.markdown import filled
from scripts import ROOT
from scripts.benchmark import flops
from scripts.benchmark.flops import matmul
from scripts.benchmark.layers.__main__ import main
from scripts.benchmark.layers.measure import count
from scripts.benchmark.layers.report import LIMITS, STANDARD, Limit, key, slowdown, speedup, tables
from scripts.benchmark.layers.rows import ROWS, Shape, config_of, kind
from scripts.benchmark.layers.worker import describe, forward, make_answer, make_inputs, make_layer

TOY = Shape(batch=2, side=8, features=6, k=3)
FLAGS = [*("--batch=2", "--side=8", "--features=6", "--k=3", "--budget=0")]
RECORDS = json.loads((ROOT / "docs/results/layers.json").read_text())


def record(forward: float, gradient: float) -> dict[str, Any]:
    task = {"flops": 3e9, "bytes": 2**20, "quartiles": [1, 2]}
    ratios = {"forward": forward, "gradient": gradient}
    return {"parameters": 5, **{name: task | {"ratio": ratio} for name, ratio in ratios.items()}}


def run(output: Path, *flags: str) -> Any:
    with pytest.raises(SystemExit) as exit_:
        main([*FLAGS, f"--output={output}", *flags])
    return exit_.value.code


@pytest.mark.slow
def test_a_row_is_measured_and_the_others_are_kept(tmp_path: Path) -> None:
    output, other = tmp_path / "layers.json", key("merge/average", TOY)
    output.write_text(json.dumps({other: record(1, 1)}))
    assert run(output, "--rows=alone/ecc") == 0
    records = json.loads(output.read_text())
    assert records.keys() == {key("alone/ecc", TOY), other} and records[other] == record(1, 1)
    measured = records[key("alone/ecc", TOY)]
    assert measured["parameters"] == 8 * 8 + 8 + 8 * 8 * 6 + 8 * 6
    low, high = measured["gradient"]["quartiles"]
    assert measured["gradient"]["pairs"] == 5 and 0 < low <= measured["gradient"]["ratio"] <= high
    assert measured["gradient"]["flops"] > measured["forward"]["flops"] > 0
    assert measured["gradient"]["bytes"] > 3 * 4 * 2 * 64 * 6  # at least x, its gradient, another


def test_measured_rows_are_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "layers.json"
    output.write_text(json.dumps({key("graph/knn", TOY): record(1.25, 1.5)}))
    before = output.stat()
    assert run(output, "--rows=graph/knn") == 0
    assert output.stat() == before
    assert (
        "| graph/knn | 5 | 3.00 | 1.25 (1.00, 2.00) | 3.00 | 1.50 (1.00, 2.00) | 1 |"
        in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--rows=graph/none"], "layers: --rows=graph/none matches no row: use some of graph/knn"),
        (["--rows=graph/knn", "--output=docs/README.md"], "docs/README.md is not JSON"),
    ],
)
def test_invalid_flags_are_one_line_errors(tmp_path: Path, flags: list[str], message: str) -> None:
    code = run(tmp_path / "layers.json", *flags)
    assert message in code and "\n" not in code


def test_a_row_that_does_not_run_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "layers.json", "--rows=graph/knn", "--k=0") == 1
    error = "layers: graph/knn is not measured: config.generator.graph_layer.graph.knn.k = 0:"
    assert capsys.readouterr().err.startswith(error)
    answer = make_answer("graph/knn", replace(TOY, k=60))("forward")
    assert answer["error"].startswith("ValueError: k = 60 does not fit a 8x8 feature map")


def test_the_layer_is_measured_with_and_without_its_parts() -> None:
    """The operator alone, on a given graph, computes what it computes on its own graph."""
    whole, branch, alone = (
        make_layer(row, TOY.k, TOY.features) for row in ("merge/average", "graph/knn", "alone/ecc")
    )
    inputs = make_inputs(whole, TOY, given_graph=False)
    expected = whole.apply({"params": inputs.params}, inputs.x)
    np.testing.assert_array_equal(forward(whole, inputs), expected)
    local = 2 * expected - forward(branch, inputs)
    kernel = inputs.params["local"]["kernel"]
    same = jax.lax.conv_general_dilated(
        inputs.x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    np.testing.assert_allclose(local, same, rtol=1e-5, atol=1e-5)

    given = make_inputs(alone, TOY, given_graph=True)
    np.testing.assert_array_equal(
        forward(alone, given), forward(alone, given._replace(neighbours=None))
    )
    assert describe(inputs, {})["parameters"] == 2 * 8 * 6


def test_flops_of_a_row() -> None:
    config, N, C = config_of({}, 3), 64, 8
    knn, edge_conv, local = matmul(N, 6, N), 2 * matmul(N, C, 6), matmul(N, 9 * 6, 6)
    assert count("alone/ecc", config, TOY) == {"forward": edge_conv, "gradient": 3 * edge_conv}
    assert count("graph/knn", config, TOY)["gradient"] == knn + 3 * edge_conv
    assert count("merge/average", config, TOY)["gradient"] == knn + 3 * (edge_conv + local)


def test_limits() -> None:
    slow, fast = record(6, 8), record(3, 4)
    records = {key("a", STANDARD): slow, key("b", STANDARD): fast}
    assert Limit("", ("b",), slowdown, 4).cells(records) == ("4.00 x", "≤ 4 x", "PASS")
    assert Limit("", ("a",), slowdown, 7.9).cells(records)[2] == "FAIL"
    faster = Limit("", ("a", "b"), speedup, 2, at_least=True)
    assert faster.cells(records) == ("2.00 x", "≥ 2 x", "PASS")
    assert faster.cells({key("a", STANDARD): slow}) == ("-", "≥ 2 x", "-")
    assert all(row in ROWS for limit in LIMITS for row in limit.rows)


def test_every_part_has_a_row_and_is_on_the_page() -> None:
    page = (ROOT / "docs/laboratory.md").read_text()
    parts = {"graph": GRAPHS, "operator": OPERATORS, "merge": MERGES}
    defaults = {"graph": "knn", "operator": "edge_conv", "merge": "average"}
    for part, table in parts.items():
        rows = [fields for row, fields in ROWS.items() if kind(row) == part]
        chosen = {fields.get(f"{part}.name", defaults[part]) for fields in rows}
        for name, component in table.items():
            if component:
                assert name in chosen and f"\n| `{name}` | " in page, name


def test_the_page_shows_the_records() -> None:
    page = (ROOT / "docs/laboratory.md").read_text()
    assert filled(page, tables(RECORDS)) == page
    with pytest.raises(ValueError, match="no table between <!-- merge -->"):
        filled(page.replace("<!-- merge -->", ""), tables(RECORDS))


def test_every_row_whose_parts_exist_has_a_record() -> None:
    shapes = {limit.shape for limit in LIMITS}
    for row, fields in ROWS.items():
        try:
            config_of(fields, STANDARD.k)
        except UserError:
            continue
        for shape in shapes if kind(row) == "alone" else {STANDARD}:
            assert key(row, shape) in RECORDS, (
                f"run python -m scripts.benchmark.layers --rows={row}"
            )


def test_graphs_that_operators_need() -> None:
    needless = {
        name for name, operator in OPERATORS.items() if not getattr(operator, "needs_graph", True)
    }
    assert needless == OPERATORS.keys() & set(flops.WITHOUT_A_GRAPH)
