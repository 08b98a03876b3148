"""The stability script: recorded jobs are not repeated, and appear in its tables and figure."""

from pathlib import Path

import pytest

from gcgan_jax.storage.json_lines import append_json_lines
from scripts.stability.__main__ import jobs, main
from scripts.stability.measurements import Record
from scripts.stability.report import NORMS


def record(job: str) -> Record:
    kind, labels, *rest = job.split("/")
    if kind == "growth":
        degree = 4.0 if labels == "raw" else 1.0
        norms = {f"{norm}_norms": [1.0, 10**degree] for norm in NORMS}
        return {"scales": [1.0, 10.0], **norms, **{f"{norm}_slope": degree for norm in NORMS}}
    if kind == "training":
        fails = (labels, rest) == ("raw", ["gamma off", "seed 3"])
        return {
            "error": "stopped in iteration 9" if fails else "",
            "generator_gradients_median": 1.5,
            "generator_gradients_max": 77.0 if fails else 2.0,
            "non_local_over_local": [0.25] if fails else [0.5, 2.0],
        }
    if kind == "initial":
        return {"66": {"output": 0.6, "gradient": 1.5}}
    costs = {"parameters": 1234, "temporary_bytes": 2**22}
    return {"ecc": costs | {"seconds": 3.0}, "low_rank_ecc": costs | {"seconds": 2.0}}


def test_recorded_jobs_are_reported_and_not_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    records, figure = tmp_path / "records.jsonl", tmp_path / "figure.png"
    append_json_lines(records, [{"job": name, **record(name)} for name in jobs()])
    before = records.read_bytes()
    main([f"--records={records}", f"--figure={figure}"])
    assert records.read_bytes() == before
    lines = capsys.readouterr().out.splitlines()
    for line in (
        "| raw | adaptive | 4.00 | 4.00 | 4.00 |",
        "| raw | off | 4 of 5 | 1.5 | 77 | 0.50 | 2.00 |",
        "| normalised | on | 5 of 5 | 1.5 | 2 | 0.50 | 2.00 |",
        "| low_rank_ecc | 528 | 66 | off | 0.60 | 1.50 |",
        "| 66 | low_rank_ecc | 1,234 | 4 | 1.50 |",
    ):
        assert line in lines
    assert figure.read_bytes().startswith(b"\x89PNG")
