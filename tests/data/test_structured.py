"""Data sets with a structure train and are scored, by the laboratory's configs."""

import importlib
import json
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest

from gcgan_jax.config.schema import from_mapping
from gcgan_jax.evaluation.protocol import Protocol
from gcgan_jax.experiment import make_experiment
from gcgan_jax.training.loop import train

TOY = Protocol("small", samples=16, splits=2)
MEASURES = {
    "echo": {"agreement", "agreement_null", "same", "richness"},
    "far_echo": {"agreement", "elsewhere", "richness"},
    "mirror": {"agreement", "elsewhere", "richness"},
    "palette": {"agreement", "richness"},
    "parity": {"parity", "parity_null", "contrast", "richness"},
}


@pytest.mark.parametrize(
    "name",
    [
        "echo",
        "parity",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("far_echo", "mirror", "palette")),
    ],
)
def test_two_iterations_log_and_score_the_structure(name: str, tmp_path: Path) -> None:
    config = importlib.import_module(f"configs.lab.{name}").get_config()
    make_experiment(from_mapping(config.to_dict()))  # consistent at its own size
    config.update_from_flattened_dict(
        {
            "data.image_size": 32,  # of all, which then share their compiled programs
            f"data.{name}.num_train": 16,
            f"data.{name}.num_test": 8,
            "num_iterations": 2,
            "iterations_per_call": 1,
            "batch_size": 4,
            "n_critic": 1,
            "log_every": 1,
            "eval_every": 2,
            "generator.latent_size": 5,
            "generator.width": 16,
            "generator.graph_layer.operator.name": "none",
            "critic.widths": (4, 6, 8),
            "sample_images": 4,
            "diagnostic_images": 4,
        }
    )
    experiment = make_experiment(from_mapping(config.to_dict()))
    train(replace(experiment, protocol=TOY), tmp_path / "run", devices=jax.devices()[:1])
    entries = [*map(json.loads, (tmp_path / "run" / "metrics.jsonl").read_text().splitlines())]
    assert [entry["step"] for entry in entries] == [1, 2]
    for entry in entries:
        logged = {key.partition("/")[2] for key in entry if key.startswith(f"{name}/")}
        assert logged == MEASURES[name]
        assert np.isfinite([entry[f"{name}/{measure}"] for measure in logged]).all()
    scored = {key.partition("/")[2] for key in entries[-1] if key.startswith("score/")}
    assert scored == MEASURES[name] | {"diversity", "structure_error"}
