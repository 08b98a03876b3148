"""JSON lines files: round trip, and truncated lines."""

from pathlib import Path

from gcgan_jax.storage.json_lines import append_json_line, read_json_lines, write_json_lines


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    assert read_json_lines(path) == []
    append_json_line(path, {"step": 1, "loss": 1e-7, "note": "Fréchet\n"})
    append_json_line(path, {"step": 2})
    assert read_json_lines(path) == [{"step": 1, "loss": 1e-7, "note": "Fréchet\n"}, {"step": 2}]
    write_json_lines(path, [{"step": 3}, {"step": 4}])
    assert path.read_text() == '{"step": 3}\n{"step": 4}\n'


def test_truncated_line_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    last = '{"step": 12, "loss": -0.25}'
    for length in range(len(last)):
        path.write_text('{"step": 11}\n' + last[:length])
        assert read_json_lines(path) == [{"step": 11}]
