"""Generators of all backbones in the mode that looks into them, and scores them."""

import json
from pathlib import Path

import jax
import pytest

from gcgan_jax.commands.ablate import ablate
from tests.conftest import make
from tests.helpers import save_untrained


@pytest.mark.parametrize("backbone", [pytest.param("dcgan", marks=pytest.mark.slow), "resnet"])
def test_backbones_can_be_ablated(backbone: str, tmp_path: Path) -> None:
    experiment = make(
        backbone=backbone,
        operator="global",
        generator__width=8,
        generator__graph_blocks=(1,),
        **{"eval__network": "structure", "eval__batch_size": 16, "show__ablation_images": 10},
    )
    save_untrained(experiment, tmp_path)
    ablate(experiment, tmp_path, jax.devices()[:1])
    result = json.loads((tmp_path / "ablation-0000000.json").read_text())
    values = {row["rule"]: row["scores"]["structure_error"]["value"] for row in result["rules"]}
    assert len(values) == len(set(values.values())) == 3
    assert 0 < result["layers"]["block1_graph"]["gradient_share"] < 1
