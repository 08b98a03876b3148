"""The stages of a probe, its table and its file."""

import json
from pathlib import Path
from typing import Any

import pytest

from gcgan_jax.commands.probe import as_table, probe, stages
from gcgan_jax.report import markdown
from tests.conftest import Tiny
from tests.program import ROOT

FEW = {
    "probe__seeds": 2,
    "probe__steps": 2,
    "probe__batch_size": 3,
    "probe__width": 4,
    "probe__train_images": 8,
    "probe__test_images": 5,
}


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"operator": "ecc"}, ["local only", "+ graph", "+ ecc", "+ coordinates", "+ gamma"]),
        ({"operator": "edge_conv"}, ["local only", "+ graph", "+ edge_conv", "+ coordinates"]),
        ({"operator": "aggregate"}, ["local only", "+ aggregate", "+ coordinates"]),
        ({"operator": "self_attention"}, ["local only", "+ self_attention", "+ coordinates"]),
    ],
)
def test_stages_add_one_component_each(
    tiny: Tiny, fields: dict[str, Any], names: list[str]
) -> None:
    config = tiny(**fields).config
    found = {stage.name: stage for stage in stages(config)}
    assert list(found) == names
    last = found[names[-1]]
    assert last.layer == config.generator.graph_layer and last.without is None
    assert found["local only"].without == "non_local"
    assert not found[names[1]].layer.coordinates


def test_gamma_is_the_last_component_of_ecc(tiny: Tiny) -> None:
    attention = [
        (stage.layer.coordinates, stage.layer.operator.section.get("attention"))
        for stage in stages(tiny(operator="ecc").config)
    ]
    assert attention == [(False, False), (False, None), (False, False), (True, False), (True, True)]


def test_the_table_pairs_seeds() -> None:
    results = {
        "parameters": {"local only": 1000, "+ graph": 1200, "+ ecc": 1500},
        "accuracy": {  # keys as in JSON
            "local only": {"0": 0.5, "1": 0.7, "2": 0.6},
            "+ graph": {"0": 0.6, "1": 0.8, "2": 0.7},
            "+ ecc": {"0": 0.6, "1": 0.8, "2": 0.7},
        },
    }
    lines = as_table(results).splitlines()
    assert lines[2] == "| local only | 1,000 | 0.600 ± 0.100 | - | - | - | - |"
    assert lines[3].startswith(
        "| + graph | 1,200 | 0.700 ± 0.100 | +0.100 (+0.100 to +0.100) | 0.0"
    )
    assert "| +0.000 (+0.000 to +0.000) | 1.000 | +0.100 (" in lines[4]


def test_the_page_shows_the_records() -> None:
    page = (ROOT / "docs" / "probe.md").read_text()
    records = {
        path.stem.removeprefix("probe-"): as_table(json.loads(path.read_text()))
        for path in (ROOT / "docs" / "results").glob("probe-*.json")
    }
    assert records and markdown.filled(page, records) == page


def test_a_probe_needs_no_run(tiny: Tiny, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    probe(tiny(operator="self_attention", **FEW), tmp_path / "run", tmp_path / "new" / "out")
    out = capsys.readouterr().out
    stored = json.loads((tmp_path / "new" / "out" / "probe.json").read_text())
    assert as_table(stored) in out
    assert (stored["data"], stored["probe"]["steps"]) == ("twins", 2)
    parameters = list(stored["parameters"].values())
    assert parameters[0] < parameters[1] == parameters[2]
    for by_seed in stored["accuracy"].values():
        assert list(by_seed) == ["0", "1"] and all(0 <= value <= 1 for value in by_seed.values())
    assert not (tmp_path / "run").exists()
