"""The plot of scores: one panel per provenance, one curve per run."""

from pathlib import Path

import pytest
from PIL import Image

from gcgan_jax.evaluation.results import add_records
from gcgan_jax.report.curves import read_panels
from scripts import plot_scores
from tests.evaluation.test_results import record


def test_runs_share_a_panel_but_provenances_do_not(tmp_path: Path) -> None:
    for run, offset in (("baseline", 0.0), ("edge_conv", 1.0)):
        records = [record(step=step, value=step / 100 + offset) for step in (500, 250)]
        add_records(tmp_path / run / "scores.jsonl", records)
    others = [
        record(protocol="standard", value=3.0),
        record(ema=True, value=2.0),
        record(score="classifier_score", value=5.0),
        record(images="/folder", step=None, value=1.0),
    ]
    add_records(tmp_path / "baseline" / "scores.jsonl", others)
    runs = [tmp_path / "baseline", tmp_path / "edge_conv"]
    panels = read_panels(runs, "classifier_fid")
    points = {
        provenance.partition(" ")[0]: {
            run: [(r.step, r.value) for r in records] for run, records in curves.items()
        }
        for provenance, curves in panels.items()
    }
    assert points == {
        "small": {
            "baseline": [(250, 2.5), (500, 5.0)],
            "baseline (EMA)": [(250, 2.0)],
            "edge_conv": [(250, 3.5), (500, 6.0)],
        },
        "standard": {"baseline": [(250, 3.0)]},
    }
    arguments = [*map(str, runs), f"--figure={tmp_path / 'figure.png'}"]
    plot_scores.main(arguments)
    with Image.open(tmp_path / "figure.png") as figure:
        assert figure.height > figure.width

    with pytest.raises(SystemExit, match="no fid in"):
        plot_scores.main([*arguments, "--score=fid"])
