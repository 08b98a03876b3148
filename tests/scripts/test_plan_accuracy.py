"""The page shows the records of how well plans predict, and these hold their targets."""

from pathlib import Path

from gcgan_jax.report import markdown
from scripts.plan_accuracy import MARKER, SEVEN, error, read, table
from tests.program import ROOT

RECORDS = read(ROOT / "docs" / "results" / "plan.jsonl")


def test_the_page_shows_the_records() -> None:
    page = (ROOT / "docs" / "plan.md").read_text()
    assert markdown.filled(page, {MARKER: table(RECORDS)}) == page


def test_predictions_hold_their_targets() -> None:
    assert RECORDS and {record["row"] for record in RECORDS} <= set(SEVEN)
    for record in RECORDS:
        planned, measured = record["planned"], record["measured"]
        assert abs(planned["peak"] / measured["peak"] - 1) <= 0.25, record["row"]
        assert abs(planned["seconds"] / measured["seconds"] - 1) <= 0.5, record["row"]


def test_errors_are_relative_to_what_was_measured() -> None:
    assert (error(1.5, 2.0), error(2.0, 1.0)) == ("-25%", "+100%")


def test_no_records_yet(tmp_path: Path) -> None:
    assert read(tmp_path / "none.jsonl") == [] and table([]).count("\n") == 1
