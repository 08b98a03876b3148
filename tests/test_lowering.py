"""The training step lowers for TPU and GPU, with the accelerators' variants."""

import functools
import importlib
import json
import math
import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax.sharding import use_abstract_mesh

from gcgan_jax.config.schema import from_mapping
from gcgan_jax.experiment import Experiment, make_experiment
from scripts import ROOT
from scripts.benchmark.structure import lowered_counts
from scripts.benchmark.targets import CHIPS, CONFIGS, abstract_mesh
from tests.conftest import Tiny, make

STRUCTURE = json.loads((ROOT / "docs/results/structure.json").read_text())


def step_and_arguments(experiment: Experiment) -> tuple[Any, tuple[Any, ...]]:
    """The jitted training step on one device, and the shapes of its arguments."""
    pixels = math.prod(experiment.gan.image_shape)
    images = jax.ShapeDtypeStruct((16, pixels), jnp.uint8)
    step = experiment.train_step(jax.devices()[:1])
    return jax.jit(step), (experiment.state_shapes(), images, jax.ShapeDtypeStruct((1,), jnp.int32))


@pytest.fixture(scope="module")
def traced() -> Callable[[str], Any]:
    """The training step with a given operator, traced once."""

    @functools.cache
    def trace(operator: str) -> Any:
        step, arguments = step_and_arguments(make(operator=operator))
        return step.trace(*arguments)

    return trace


@pytest.mark.parametrize("operator", ["none", "edge_conv", "ecc"])
def test_step_lowers_for_accelerators(tiny: Tiny, operator: str) -> None:
    step, arguments = step_and_arguments(tiny(operator=operator))
    exported = jax.export.export(step, platforms=["tpu", "cuda"])(*arguments)
    assert exported.platforms == ("tpu", "cuda")
    assert exported.out_avals


@pytest.mark.parametrize(
    ("platform", "accelerated"), [("tpu", True), ("cuda", True), ("cpu", False)]
)
def test_platforms_get_their_variant(
    traced: Callable[[str], Any], platform: str, accelerated: bool
) -> None:
    lowered = traced("ecc").lower(lowering_platforms=(platform,))
    lines = lowered.as_text().splitlines()
    folded = [line for line in lines if "convolution(" in line and "tensor<3x3x12x4xf32>" in line]
    assert any("top_k" in line for line in lines) == accelerated  # the graph
    assert bool(folded) == accelerated  # the critic's convolution, with kernel 5x5x3x4


def test_profiles_show_the_names_of_components(traced: Callable[[str], Any]) -> None:
    for operator in ("edge_conv", "ecc"):
        text = traced(operator).lower().as_text(debug_info=True)
        names = ("knn", "Critic", "gradient_penalty", "optimizer", operator, "local")
        assert [name for name in names if not re.search(rf"\b{name}[)/]", text)] == []


@pytest.mark.parametrize("name", [name for name in CONFIGS if "constant" not in name])
def test_no_sorts_and_loops_only_over_updates(name: str) -> None:
    """The compiled programs that the documentation describes were compiled from the same code."""
    file, _, argument = name.removeprefix("configs/").partition(":")
    module = importlib.import_module(f"configs.{file.removesuffix('.py')}")
    config = module.get_config(*filter(None, [argument]))
    config.generator.graph_layer.graph.knn.selection = "kernel"
    step, arguments = step_and_arguments(make_experiment(from_mapping(config.to_dict())))
    traced = step.trace(*arguments)
    recorded = {
        result["target"]: result["lowered"]
        for result in STRUCTURE
        if (result["config"], result["selection"]) == (name, "kernel")
    }
    for target, (platform, *_) in CHIPS.items():
        with use_abstract_mesh(abstract_mesh(target)):
            lowered = traced.lower(lowering_platforms=(platform,))
        counts = lowered_counts(lowered.as_text())
        assert (counts["sorts"], counts["top_k"]) == (0, 0)
        assert counts["loops"] == 2  # of iterations and of critic updates
        if platform == "tpu":
            assert counts["scatters"] == 0
        else:  # whether there are any depends on the version of jaxlib
            del counts["scatters"]
        if target in recorded:
            assert counts.items() <= recorded[target].items()
