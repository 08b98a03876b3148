"""The training step lowers for TPU and GPU, with the code that is meant for them."""

import functools
import math
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import pytest

from gcgan_jax.config import Config
from gcgan_jax.draws import streams
from gcgan_jax.gan import build_gan
from gcgan_jax.optimizer import make_direction
from gcgan_jax.state import init_state
from gcgan_jax.train_step import make_train_step


def step_and_arguments(config: Config) -> tuple[Any, tuple[Any, ...]]:
    """The training step on one device, jitted, and the shapes it takes."""
    gan, key = build_gan(config), streams(config.seed).parameters
    state = jax.eval_shape(partial(init_state, gan, make_direction(config.optimizer)), key)
    pixels = math.prod(gan.image_shape)
    images = jax.ShapeDtypeStruct((config.data.twins.num_train, pixels), jnp.uint8)
    step = make_train_step(config, jax.devices()[:1])
    return jax.jit(step), (state, images, jax.ShapeDtypeStruct((1,), jnp.int32))


@functools.cache
def traced(config: Config) -> Any:
    step, arguments = step_and_arguments(config)
    return step.trace(*arguments)


@pytest.mark.parametrize("non_local", ["none", "edge_conv", "ecc"])
def test_step_lowers_for_accelerators(tiny: Callable[..., Config], non_local: str) -> None:
    step, arguments = step_and_arguments(tiny(generator__non_local=non_local))
    exported = jax.export.export(step, platforms=["tpu", "cuda"])(*arguments)
    assert exported.platforms == ("tpu", "cuda")
    assert exported.out_avals


@pytest.mark.parametrize(("platform", "own_code"), [("tpu", True), ("cuda", True), ("cpu", False)])
def test_accelerators_have_code_of_their_own(
    tiny: Callable[..., Config], platform: str, own_code: bool
) -> None:
    lowered = traced(tiny(generator__non_local="ecc")).lower(lowering_platforms=(platform,))
    lines = lowered.as_text().splitlines()
    folded = [line for line in lines if "convolution(" in line and "tensor<3x3x12x4xf32>" in line]
    assert any("top_k" in line for line in lines) == own_code  # the graph
    assert bool(folded) == own_code  # the critic's convolution, whose kernel was 5x5x3x4


def test_a_profile_can_be_read(tiny: Callable[..., Config]) -> None:
    for non_local in ("edge_conv", "ecc"):
        text = traced(tiny(generator__non_local=non_local)).lower().as_text(debug_info=True)
        names = ("knn", "Critic", "gradient_penalty", "optimizer", non_local, "local")
        assert [name for name in names if not re.search(rf"\b{name}[)/]", text)] == []
