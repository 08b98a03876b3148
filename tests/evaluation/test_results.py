"""Records: none is lost or duplicated, and provenances are never mixed."""

from pathlib import Path
from typing import Any

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
