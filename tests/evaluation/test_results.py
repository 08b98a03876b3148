"""Records: none is lost or duplicated, and provenances are never mixed."""

import json
from pathlib import Path
from typing import Any

import pytest

from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.results import Record, add_records, as_tables, read_records, versions


def record(**changes: Any) -> Record:
    fields = {
        "score": "classifier_fid",
        "value": 12.5,
        "std": None,
        "images": "generator",
        "network": "classifier",
        "weights": "ab" * 32,
        "protocol": "small",
        "samples": 5000,
        "splits": 10,
        "data": "cifar10 0123",
        "split": "train",
        "seed": 0,
        "batch_norm": "running",
        "ema": False,
        "step": 250,
        "versions": versions(),
    }
    return Record.from_json(fields | changes)


def test_records_are_added_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    assert read_records(path) == []
    first, later = record(), record(step=500, value=9.0)
    add_records(path, [first])
    with path.open("a") as file:
        file.write('{"score": "trunc')
    add_records(path, [later])
    assert read_records(path) == [first, later]
    replacement = record(value=13.0)
    add_records(path, [replacement])
    assert read_records(path) == [later, replacement]
    assert {"jax", "flax", "numpy", "gcgan_jax"} == replacement.versions.keys()


@pytest.mark.parametrize(
    "changes",
    [
        *({"value": value} for value in ("12", None, [1.0], True, float("inf"))),
        *({"step": step} for step in ("250", 250.0, False)),
        *({"versions": versions} for versions in (None, ["jax"], {"jax": 1})),
        *({"ema": 1}, {"seed": "0"}, {"std": "0"}, {"score": None}, {"batch_norm": 3}),
        *({"samples": None}, {"temperature": 0.5}, {"provenance": {}}),
    ],
    ids=str,
)
def test_records_of_others_are_moved(changes: dict[str, Any], tmp_path: Path) -> None:
    path, beside = tmp_path / "scores.jsonl", tmp_path / "scores.jsonl.rejected"
    foreign = json.dumps(record().to_json() | changes)
    path.write_text(foreign)
    assert read_records(path) == []
    for step in (1, 2):
        add_records(path, [record(step=step)])
        assert beside.read_text() == f"{foreign}\n"
    assert read_records(path) == [record(step=1), record(step=2)]


def test_records_that_lack_a_field_are_moved(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    lacking = [
        json.dumps({n: v for n, v in record().to_json().items() if n != name})
        for name in record().to_json()
    ]
    path.write_text("\n".join(lacking))
    add_records(path, [])
    assert (read_records(path), path.read_text()) == ([], "")
    assert (tmp_path / "scores.jsonl.rejected").read_text().splitlines() == lacking


def test_records_are_on_disk_before_others_are_moved(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_text("not a record")
    (tmp_path / "scores.jsonl.rejected").mkdir()
    with pytest.raises(UserError, match="rejected is a directory"):
        add_records(path, [record()])
    assert read_records(path) == [record()]
    assert path.read_text().startswith("not a record\n")


def test_each_provenance_has_its_own_table() -> None:
    text = as_tables(
        [
            record(),
            record(score="classifier_score", value=4.0, std=0.25),
            record(ema=True, value=11.0),
            record(protocol="standard", samples=50_000, value=1.0),
            record(network="inception", score="fid", weights="cd" * 32),
            record(images="/some/folder", batch_norm=None, ema=None, step=None, value=3.0),
        ]
    )
    tables = text.split("\n\n")
    assert len(tables) == 4
    assert tables[0].splitlines() == [
        "small protocol: 5000 samples in 10 splits against cifar10 0123 (train), "
        "network classifier abababab, running statistics",
        "  iteration 250",
        "    classifier_fid    12.5",
        "    classifier_score  4 ± 0.25",
        "  iteration 250 (EMA)",
        "    classifier_fid  11",
    ]
    assert "50000 samples" in tables[1]
    assert "network inception cdcdcdcd" in tables[2]
    assert tables[3].splitlines()[1:] == ["  /some/folder", "    classifier_fid  3"]
