"""The script that trains every backbone with every loss and normalisation of the critic."""

from pathlib import Path

import pytest

from gcgan_jax.gan.losses import LOSSES
from gcgan_jax.models import BACKBONES
from scripts.losses import ITERATIONS, NAMES, cell, main, measure, read, table
from tests.conftest import Tiny
from tests.program import ROOT


def test_refused_combinations_are_recorded_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = tmp_path / "records.jsonl"
    for _ in range(2):
        for loss in ("wgan_gp", "r3gan"):
            main([f"--records={records}", f"--only=*/{loss}/batch"])
    losses = ("wgan_gp", "r3gan")
    assert {*read(records)} == {f"{name}/{loss}/batch" for name in BACKBONES for loss in losses}
    assert len(records.read_text().splitlines()) == 2 * len(BACKBONES)
    for record in read(records).values():
        assert record["refused"].startswith("config.critic.norm = 'batch': ")
        assert "\n" not in record["refused"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "| `resnet` | `r3gan` | not run | not run | not run | refused |"
    assert len(table({}).splitlines()) == 2 + len(BACKBONES) * len(LOSSES) and len(NAMES) == 4


def test_page_has_the_table_of_the_records() -> None:
    records = read(ROOT / "docs/results/losses.jsonl")
    assert table(records) in (ROOT / "docs/laboratory.md").read_text()
    trained = [record for record in records.values() if "refused" not in record]
    assert all(record["iterations"] == ITERATIONS for record in trained)


def test_training_is_recorded(tiny: Tiny) -> None:
    record = measure(tiny(learning_rate=1e-4, loss__name="r3gan", critic__norm="layer"), 2)
    assert record["iterations"] == 2 and record["r1"] > 0
    assert cell(record) == f"{record['twins/diagonal_correlation']:.2f}"
    assert cell({"iterations": 3, "error": "…"}) == "not finite after 3"
