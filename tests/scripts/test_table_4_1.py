"""Table 4.1: its statistics against hand arithmetic, and concurrent jobs of the real program."""

import csv
import importlib
import json
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gcgan_jax.evaluation.results import Record
from gcgan_jax.report.statistics import ROWS, as_csv, as_markdown, summarise
from scripts import table_4_1
from tests.evaluation.test_results import record
from tests.program import Program, ended


def records(*values: float, first_seed: int = 0, **changes: Any) -> list[Record]:
    return [
        record(score="classifier_score", value=value, seed=first_seed + i, **changes)
        for i, value in enumerate(values)
    ]


def test_means_stds_and_paired_differences() -> None:
    scores = {"baseline": records(6.0, 7.0, 8.0), "ecc-8": records(5.0, 5.0, 5.0)}
    baseline, ecc = summarise(scores)
    assert (baseline.row, baseline.mean, baseline.std) == ("baseline", 7, 1)
    assert (baseline.values, baseline.difference) == ({0: 6.0, 1: 7.0, 2: 8.0}, None)
    difference = ecc.difference
    assert (ecc.mean, ecc.std, difference.n, difference.mean) == (5, 0, 3, -2)
    assert (difference.low, difference.high) == pytest.approx((-4.484, 0.484), abs=1e-3)
    text = as_markdown([baseline, ecc])
    seeds = "0: 6.000, 1: 7.000, 2: 8.000"
    assert f"| baseline | 7.000 ± 1.000 | {seeds} | - | - | - | - | 6.442 |" in text
    assert "| -2.000 (-4.484 to +0.484) | 0.074 | - | 0.959 | 6.204 |" in text
    assert text.startswith("small protocol: 5000 samples in 10 splits")
    first, second = csv.DictReader(as_csv([baseline, ecc]).splitlines())
    assert (first["row"], first["mean"], first["difference_mean"]) == ("baseline", "7.0", "")
    assert json.loads(first["values"]) == {"0": 6.0, "1": 7.0, "2": 8.0}
    assert (second["difference_n"], second["difference_mean"]) == ("3", "-2.0")


def test_only_equal_seeds_are_compared() -> None:
    scores = {"baseline": records(1.0, 2.0, 4.0), "ecc-8": records(2.0, 5.0, 9.0, first_seed=1)}
    _, ecc = summarise(scores)
    assert (ecc.difference.n, ecc.difference.mean) == (2, 0.5)  # of 2 - 2 and 5 - 4
    apart = {"baseline": records(1.0), "ecc-8": records(2.0, first_seed=1)}
    assert summarise(apart)[1].difference is None


def test_one_seed_has_neither_std_nor_interval() -> None:
    _, line = summarise({"baseline": records(6.0), "ecc-8": records(5.0)})
    assert (line.std, line.difference.mean, line.difference.low) == (None, -1, None)


def test_scores_without_a_margin_are_not_tested_for_equivalence() -> None:
    of_fid = [replace(one, score="classifier_fid") for one in records(6.0, 7.0)]
    assert "equivalence" not in as_markdown(summarise({"baseline": of_fid, "ecc-8": of_fid}))


def test_protocols_are_not_compared() -> None:
    scores = {"baseline": records(6.0, 7.0), "ecc-8": records(5.0, split="test")}
    baseline, ecc = summarise(scores)
    assert ecc.difference is None and baseline.protocol != ecc.protocol
    assert as_markdown([baseline, ecc]).count("| row | classifier_score |") == 2


def test_rows_match_the_thesis() -> None:
    for name, row in ROWS.items():
        file, _, argument = row.config.partition(":")
        module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
        config = module.get_config(argument) if argument else module.get_config()
        operator = config.generator.graph_layer.operator.name.replace("none", "baseline")
        assert name.startswith(operator)
        assert (
            operator == "baseline" or f"k = {config.generator.graph_layer.graph.knn.k}" in row.title
        )
    assert sum(bool(row.thesis) for row in ROWS.values()) == 7


TOY = [
    *("--config.data.name=twins", "--config.data.image_size=16", "--config.eval.network=structure"),
    *("--config.data.twins.num_train=64", "--config.data.twins.num_test=16"),
    *(
        "--config.batch_size=4",
        "--config.generator.graph_layer.graph.knn.k=3",
        "--config.n_critic=1",
    ),
    *("--config.sample_images=4", "--config.diagnostic_images=4"),
]


@pytest.mark.slow
def test_jobs_run_concurrently_and_only_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "true")
    monkeypatch.setenv("JAX_NUM_CPU_DEVICES", "1")
    arguments = [f"--workdir={tmp_path}", "--seeds=1", "--iterations=2", "--width=16"]
    arguments += ["--rows=baseline,edge_conv-8", "--jobs=2", "--score=structure_error", "--", *TOY]
    for done in (2, 0):
        with pytest.raises(SystemExit) as exit_:
            table_4_1.main(arguments)
        out = capsys.readouterr().out
        assert exit_.value.code == 0, out
        assert out.count(": done\n") == done
        assert "| EdgeConv, k = 8 | " in out
    assert (tmp_path / "table.csv").read_text().count("\n") == 3
    assert any((tmp_path / "compiled").iterdir())
    (tmp_path / "baseline" / "seed-0" / "scores.jsonl").unlink()
    with pytest.raises(SystemExit, match="1 of 2 jobs failed"):
        table_4_1.main([*arguments, "--config.bath_size=1"])
    assert "baseline, seed 0: gcgan_jax: config.bath_size: no such field" in capsys.readouterr().out


@pytest.mark.slow
def test_ctrl_c_saves_running_jobs(tmp_path: Path) -> None:
    program = Program(JAX_DISABLE_MOST_OPTIMIZATIONS="true", JAX_NUM_CPU_DEVICES="1")
    flags = (f"--workdir={tmp_path}", "--seeds=1", "--width=16", "--rows=baseline")
    flags += ("--score=structure_error", "--iterations=5000", "--", *TOY)
    metrics = tmp_path / "baseline" / "seed-0" / "metrics.jsonl"
    try:
        process = program.start(*flags, module=("scripts.table_4_1",), start_new_session=True)
        while not metrics.exists():
            assert process.poll() is None
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        code, out, err = ended(process)
    finally:
        program.close()
    assert (code, err) == (130, "")
    assert "stopping: rerun the same command to resume" in out
    console = (tmp_path / "baseline" / "seed-0" / "console.txt").read_text()
    assert "stopped by SIGTERM: saved iteration " in console
    assert not (tmp_path / "table.md").exists()


def test_unknown_row(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"--rows: unknown row 'ecc-9': choose from baseline, "):
        table_4_1.main([f"--workdir={tmp_path}", "--rows=ecc-9"])
