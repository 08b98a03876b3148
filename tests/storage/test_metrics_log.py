"""What the console and metrics.jsonl say."""

from pathlib import Path

import pytest

from gcgan_jax.storage.json_lines import read_json_lines
from gcgan_jax.storage.metrics_log import Log

FIGURES = {"iterations_per_second": 0.5, "wasserstein": 3.0, "gradient_norm": 1.0}


def test_time_left_is_told_beyond_a_day(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = Log(tmp_path, 0, 100_000)
    log.entry(20, FIGURES | {"graph/block2_graph/gamma": 0.016})
    log.close()
    line = capsys.readouterr().out
    assert "20/100000  0.5 iterations/s  2 days, 7:32:40 left  wasserstein 3" in line
    assert "graph/block2_graph/gamma 0.016" in line


def test_rows_after_the_checkpoint_are_dropped(tmp_path: Path) -> None:
    rows = tmp_path / "metrics.jsonl"
    rows.write_text('{"step": 1}\n{"step": 5}\n{"step": 6}\n{"st')
    log = Log(tmp_path, 5, 10)
    log.entry(10, FIGURES)
    log.close()
    assert [row["step"] for row in read_json_lines(rows)] == [1, 5, 10]
