"""Noise in the generator, and the constant stem."""

from collections.abc import Callable
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from gcgan_jax.gan.rng import layer_keys
from gcgan_jax.models.base import NOISE
from gcgan_jax.models.gcgan import Generator
from tests.conftest import make

KEYS = jax.random.split(jax.random.key(3), 3)
Z = jnp.asarray(np.random.default_rng(0).normal(size=(3, 5)), jnp.float32)


def generator(**changes: Any) -> tuple[Generator, Any]:
    """A 32x32 generator with EdgeConv in block 2, and random variables."""
    model = make(
        data__image_size=32,
        generator__width=64,
        generator__graph_blocks=(2,),
        generator__graph_layer__operator__edge_conv__reduction="mean",
        **{"operator": "edge_conv"} | changes,
    ).gan.generator
    shapes = jax.eval_shape(partial(model.init, train=True), jax.random.key(0), Z, KEYS)
    rng = np.random.default_rng(1)
    variables = jax.tree.map(lambda a: rng.uniform(-0.3, 0.3, a.shape).astype("f"), shapes)
    variables["batch_stats"] = jax.tree.map(np.exp, variables["batch_stats"])
    return model, variables


def images(model: Generator, variables: Any, z: Array, keys: Array) -> Array:
    return jax.jit(partial(model.apply, train=False))(variables, z, keys)


def test_noise_follows_from_the_keys_and_learned_strength_starts_at_0() -> None:
    model, variables = generator(generator__noise__blocks=(2, 3))
    noisy = images(model, variables, Z, KEYS)
    np.testing.assert_array_equal(images(model, variables, Z, KEYS), noisy)
    np.testing.assert_allclose(images(model, variables, Z[1:], KEYS[1:]), noisy[1:], atol=1e-5)
    assert jnp.abs(images(model, variables, Z, KEYS[::-1]) - noisy).max() > 1e-3

    init = jax.jit(partial(model.init, train=False))(jax.random.key(0), Z, KEYS)["params"]
    for block, features in ((2, 16), (3, 8)):
        np.testing.assert_array_equal(init[f"block{block}_noise"], np.zeros(features))
        variables["params"][f"block{block}_noise"] = np.zeros(features, "f")
    silent, _ = generator()
    without = {"params": variables["params"], "batch_stats": variables["batch_stats"]}
    np.testing.assert_allclose(
        images(model, variables, Z, KEYS), images(silent, without, Z, KEYS), atol=1e-6
    )
    with pytest.raises(ValueError, match="one key per image"):
        model.apply(variables, Z, train=False)


def test_noise_has_unit_variance_per_channel_and_its_own_keys() -> None:
    model, _ = generator(generator__noise__blocks=(2,), generator__noise__strength=0.5)
    x = jnp.zeros((3, 16, 16, 4))
    keys = layer_keys(KEYS, NOISE + 2)
    noise = model.apply({}, x, keys, "unused", method="_add_noise")
    np.testing.assert_allclose(jnp.std(noise, axis=(0, 1, 2)), 0.5, rtol=0.1)
    assert jnp.abs(jnp.corrcoef(noise.reshape(-1, 4).T) - jnp.eye(4)).max() < 0.15
    other = model.apply({}, x, layer_keys(KEYS, NOISE + 3), "unused", method="_add_noise")
    assert abs(np.corrcoef(noise.ravel(), other.ravel())[0, 1]) < 0.1


def test_constant_stem_ignores_the_latents() -> None:
    model, variables = generator(
        generator__stem="constant", generator__noise__blocks=(2,), generator__noise__strength=1.0
    )
    assert variables["params"]["constant"].shape == (4, 4, 64)
    assert not {"dense", "block2_noise"} & variables["params"].keys()
    noisy = images(model, variables, Z, KEYS)
    np.testing.assert_array_equal(images(model, variables, 2 * Z, KEYS), noisy)
    assert jnp.abs(noisy[0] - noisy[1]).max() > 1e-3


def changed_pixels(graph: str) -> np.ndarray:
    """Perturb the noisy input of block 2's graph layer at one pixel; return which pixels change."""
    model, variables = generator(
        generator__stem="constant",
        generator__noise__blocks=(2,),
        generator__noise__strength=1.0,
        generator__graph_layer__graph__name=graph,
        **{f"generator__graph_layer__graph__{graph}__k": 8},
    )

    def perturb(step: float) -> Callable[..., Any]:
        def intercept(method: Callable, args: Any, kwargs: Any, context: Any) -> Any:
            out = method(*args, **kwargs)
            is_noise = context.method_name == "_add_noise"
            return out.at[:, 6, 7].add(step) if is_noise else out

        return intercept

    outputs = []
    for step in (0.0, 1.0):
        with nn.intercept_methods(perturb(step)):
            outputs.append(model.apply(variables, Z, KEYS, train=False))
    return np.any(outputs[0] != outputs[1], axis=(0, 3))


@pytest.mark.parametrize(("graph", "reach"), [("self", 4), ("grid", 4), ("ring", 6)])
def test_local_graphs_carry_no_noise_over_20_pixels(graph: str, reach: int) -> None:
    """Pixel (6, 7) of block 2 covers rows 12 and 13, columns 14 and 15 of the image."""
    rows, columns = np.nonzero(changed_pixels(graph))
    assert 12 - rows.min() == rows.max() - 13 == reach
    assert 14 - columns.min() == columns.max() - 15 == reach


def test_random_edges_carry_noise_everywhere() -> None:
    rows, columns = np.nonzero(changed_pixels("random"))
    assert rows.min() < 4 and rows.max() > 27 and columns.min() < 4 and columns.max() > 27
