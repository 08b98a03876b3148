"""Entries of metrics.jsonl."""

from pathlib import Path

from gcgan_jax.storage.json_lines import read_json_lines
from gcgan_jax.storage.metrics_log import MetricsLog


def test_entries_after_the_checkpoint_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n{"step": 5}\n{"step": 6}\n{"st')
    log = MetricsLog(tmp_path, 5)
    log.entry(10, {"wasserstein": 3.0})
    log.close()
    assert [entry["step"] for entry in read_json_lines(path)] == [1, 5, 10]
