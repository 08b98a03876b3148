"""What a report says of runs, and which folders it leaves out."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gcgan_jax.report import __main__ as program
from gcgan_jax.report.contents import contents
from gcgan_jax.report.grids import sample_grids
from gcgan_jax.report.paired import cells, compare
from gcgan_jax.report.workdirs import read_runs
from tests.evaluation.test_results import record
from tests.report.stored import store_run

CIFAR10 = {"data__name": "cifar10", "data__image_size": 32}


def read(*workdirs: Path, unfinished: bool = False) -> dict[str, Any]:
    runs, omitted = read_runs(workdirs, unfinished=unfinished)
    found = contents(runs, omitted, [])
    json.dumps(found, allow_nan=False)
    return found


def test_runs_are_grouped_by_seed_and_compared_by_config(tmp_path: Path) -> None:
    for operator in ("ecc", "edge_conv"):
        for seed in (0, 1):
            workdir = tmp_path / operator / f"seed-{seed}"
            store_run(workdir, operator=operator, seed=seed, eval__batch_size=8 * (1 + seed))
    found = read(*sorted(tmp_path.glob("*/*")), tmp_path / "ecc" / "seed-0")
    assert found["arms"] == [{"name": name, "seeds": [0, 1]} for name in ("ecc", "edge_conv")]
    assert [run["name"] for run in found["runs"]][:2] == ["ecc/seed-0", "ecc/seed-1"]
    config = dict(found["config"])
    assert config["generator.graph_layer.operator.name"] == ["ecc", "edge_conv"]
    assert config["seed"] == ["0, 1", "0, 1"] and config["eval.batch_size"] == ["8, 16", "8, 16"]
    assert config["generator.graph_layer.operator.edge_conv.reduction"] == ["-", "sum"]
    assert "batch_size" not in config


def test_curves_of_all_metrics_but_scores(tmp_path: Path) -> None:
    store_run(tmp_path / "a-0", steps=(1, 2, 4), seed=0)
    store_run(tmp_path / "a-1", steps=(2, 4), seed=1, values=lambda step: {"wasserstein": None})
    found = read(tmp_path / "a-0", tmp_path / "a-1")
    curves = {curve["name"]: curve for curve in found["curves"]}
    assert list(curves) == ["wasserstein", "graph/block2_graph/news"]
    assert [curve["kind"] for curve in curves.values()] == ["training", "graph"]
    first, second, mean = curves["wasserstein"]["series"]
    assert (first["label"], first["x"], first["y"]) == ("a-0", [1, 2, 4], [10.0, 5.0, 2.5])
    assert first["thin"] and second["thin"] and second["y"] == [None, None]
    assert (mean["label"], mean["x"], mean["thin"]) == ("a, mean", [2, 4], False)
    assert [s["label"] for s in curves["graph/block2_graph/news"]["series"]] == ["a-0"]


def test_scores_of_another_protocol_or_data_set_have_another_axis(tmp_path: Path) -> None:
    of_first = [record(step=step, value=step / 4, std=0.5) for step in (4, 2)]
    others = [record(protocol="standard"), record(ema=True), record(data="cifar10 4567")]
    store_run(tmp_path / "a", records=[*of_first, *others], operator="ecc", **CIFAR10)
    store_run(tmp_path / "b", records=[record(step=4, value=3.0)], **CIFAR10)
    panels = read(tmp_path / "a", tmp_path / "b")["scores"]
    assert [panel["title"] for panel in panels].count("classifier_fid of the EMA") == 1
    shared, *separate = [panel for panel in panels if len(panel["series"]) == 2] + [
        panel for panel in panels if len(panel["series"]) == 1
    ]
    assert [(s["label"], s["x"], s["y"]) for s in shared["series"]] == [
        ("a", [2, 4], [0.5, 1.0]),
        ("b", [4], [3.0]),
    ]
    assert len(separate) == 3 and len({panel["protocol"] for panel in panels}) == 3
    assert shared["last"] == [["a", "4", "1 ± 0.5"], ["b", "4", "3"]]


def test_procedural_images_of_equal_fields_share_an_axis_over_seeds(tmp_path: Path) -> None:
    for seed in (0, 1):
        own = record(data=f"twins {seed}", seed=seed, step=4)
        store_run(tmp_path / f"a-{seed}", seed=seed, records=[own])
    store_run(tmp_path / "b", records=[record(data="twins 2", step=4)], data__twins__jitter=1)
    panels = read(*sorted(tmp_path.iterdir()))["scores"]
    labels = [[series["label"] for series in panel["series"]] for panel in panels]
    assert labels == [["a-0", "a-1"], ["b"]]


def test_statistics_pair_equal_seeds_with_the_first_arm(tmp_path: Path) -> None:
    values = {"knn": (3.0, 5.0, 4.0), "ecc": (3.5, 5.4, 4.9), "edge_conv": (1.0, 2.0, 9.0)}
    for arm, of in values.items():
        for seed, value in enumerate(of):
            own = record(score="classifier_score", step=4, value=value, seed=seed)
            changes = {} if arm == "knn" else {"operator": arm, "batch_size": 8}
            store_run(tmp_path / arm / str(seed), seed=seed, records=[own], **CIFAR10 | changes)
    paths = [tmp_path / arm / str(seed) for arm in values for seed in range(3)]
    (table,) = read(*paths)["statistics"]
    assert (table["baseline"], table["step"]) == ("knn", 4)
    differences = {
        arm: np.array(values[arm]) - np.array(values["knn"]) for arm in ("ecc", "edge_conv")
    }
    expected = compare(differences, 0.1)
    assert [row[0] for row in table["rows"]] == list(values)
    assert table["rows"][0][1] == "0: 3, 1: 5, 2: 4"
    assert [row[3:] for row in table["rows"][1:]] == [cells(expected[arm]) for arm in differences]
    assert len(table["columns"]) == len(table["rows"][0]) == 7


def test_time_and_memory_are_those_of_the_log(tmp_path: Path) -> None:
    def costs(step: int) -> dict[str, Any]:
        return {"iterations_per_second": 1 / step, "peak_memory_gib": step / 4}

    store_run(tmp_path / "a", steps=(1, 2, 4), values=costs)
    (run,) = read(tmp_path / "a")["runs"]
    assert (run["time"], run["speed"], run["memory"]) == ("0:00:11", "0.5", "1.00 GiB")


def test_grids_within_the_budget_and_parts_of_larger_ones(tmp_path: Path) -> None:
    store_run(tmp_path / "a", grids=range(1, 41))
    (tmp_path / "a" / "samples" / "0000040.png").write_bytes(b"no image")
    runs, _ = read_runs([tmp_path / "a"], unfinished=False)
    (entire,) = sample_grids(runs, 10**7)["runs"]
    assert [grid["step"] for grid in entire["grids"]] == list(range(1, 40))
    assert entire["note"] == "1 unreadable"
    few = sample_grids(runs, 60_000)
    (part,) = few["runs"]
    steps = [grid["step"] for grid in part["grids"]]
    assert steps[0] == 1 and 2 <= len(steps) < 30 and "first samples" in few["note"]
    assert sum(len(grid["png"]) for grid in part["grids"]) <= 60_000


def test_folders_without_a_finished_run_are_named_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = store_run(tmp_path / "good")
    store_run(tmp_path / "short", steps=(1, 2))
    store_run(tmp_path / "empty", steps=())
    for name, config in {"cut": '{"seed', "list": "[]", "old": '{"penalty_weight": 1}'}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(config)
    (tmp_path / "foreign").mkdir()
    (tmp_path / "file").write_text("")
    with (good / "metrics.jsonl").open("a") as file:
        file.write('{"step": 5, "cut')
    found = read(*sorted(tmp_path.iterdir()))
    assert [(run["name"], run["notes"]) for run in found["runs"]] == [
        ("good", "1 lines of metrics.jsonl are unreadable")
    ]
    reasons = {omitted["name"]: omitted["reason"] for omitted in found["omitted"]}
    assert reasons.keys() == {"cut", "empty", "file", "foreign", "list", "old", "short"}
    assert reasons["short"] == "at iteration 2 of 4: add --unfinished"
    for name, part in {"cut": "is corrupted", "list": "is corrupted", "old": "renamed"}.items():
        assert part in reasons[name]
    assert len(read(tmp_path / "short", unfinished=True)["runs"]) == 1

    capsys.readouterr()
    for arguments, message in {
        (str(tmp_path / "short"), f"--out={tmp_path / 'report.html'}"): "holds a finished run",
        (str(good), f"--out={tmp_path}"): "name a page to write",
        (str(good), f"--out={good / 'metrics.jsonl' / 'x.html'}"): "cannot be written",
        (str(good),): "required: --out",
    }.items():
        with pytest.raises(SystemExit):
            program.main(arguments)
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1
    program.main([str(good), f"--out={tmp_path / 'new' / 'report.html'}", "--no-viewers"])
    assert (tmp_path / "new" / "report.html").stat().st_size < 200_000
