"""Every config of the laboratory builds a training step; the slow test trains it."""

import importlib
from pathlib import Path

import pytest

from gcgan_jax.config.schema import from_mapping
from gcgan_jax.experiment import Experiment, make_experiment
from gcgan_jax.gan.losses import LOSSES
from gcgan_jax.graphs import GRAPHS
from gcgan_jax.layers.merge import MERGES
from gcgan_jax.models import BACKBONES
from gcgan_jax.operators import OPERATORS
from gcgan_jax.training.loop import train
from tests.program import ROOT

NAMES = sorted(path.stem for path in (ROOT / "configs/lab").glob("*.py") if path.stem[0] != "_")
TOY = {
    "batch_size": 8,
    "n_critic": 2,
    "num_iterations": 10,
    "data.twins.num_train": 64,
    "data.twins.num_test": 16,
    "generator.width": 48,
    "critic.widths": (8, 8, 8),
    "diagnostic_images": 8,
    "sample_images": 8,
}


def toy(name: str) -> Experiment:
    config = importlib.import_module(f"configs.lab.{name}").get_config()
    config.update_from_flattened_dict(TOY)
    return make_experiment(from_mapping(config.to_dict()))


def test_every_part_has_a_config() -> None:
    text = " ".join(NAMES)
    defaults = {"none", "edge_conv", "knn", "average", "ecc", "wgan_gp", "gcgan"}
    for name in {*GRAPHS, *OPERATORS, *MERGES, *LOSSES, *BACKBONES} - defaults:
        assert name in text, name
    assert any("critic" in name for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_builds_both_networks(name: str) -> None:
    experiment = toy(name)
    state = experiment.state_shapes()
    assert "block2_graph" in state.generator.params
    assert ("critic" in name) == any(layer.endswith("_graph") for layer in state.critic.params)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_trains(name: str, tmp_path: Path) -> None:
    train(toy(name), tmp_path / "run")
    metrics = (tmp_path / "run" / "metrics.jsonl").read_text()
    assert '"step": 10' in metrics and "NaN" not in metrics
