"""Training in bfloat16: what stays in float32, and that it trains like float32."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gcgan_jax import references
from gcgan_jax.experiment import Experiment
from gcgan_jax.gan.state import State
from gcgan_jax.operators.ecc import FilterNetwork, ecc
from gcgan_jax.operators.edge_conv import edge_conv
from gcgan_jax.runtime.devices import device_indices, replicate
from tests import golden
from tests.conftest import Tiny


def run(experiment: Experiment) -> tuple[State, dict[str, np.ndarray]]:
    devices = jax.devices()[:1]
    state = replicate(experiment.init_state(), devices)
    train = experiment.load_images().train
    images = replicate(train.reshape(len(train), -1), devices)
    return jax.device_get(experiment.train_step(devices)(state, images, device_indices(devices)))


def test_wasserstein_estimates_of_recorded_runs_agree() -> None:
    """Compare EdgeConv's; test_golden.py checks that training reproduces these runs."""
    half, single = (
        np.mean([entry["wasserstein"] for entry in golden.recorded(name)[10:]])
        for name in ("bfloat16", "edge_conv")
    )
    assert abs(half / single - 1) < 0.1


@pytest.mark.slow
def test_wasserstein_estimate_agrees_with_float32(tiny: Tiny) -> None:
    periods = ("iterations_per_call", "num_iterations", "log_every", "sample_every")
    changes = dict.fromkeys((*periods, "checkpoint_every"), 50) | {
        "batch_size": 16,
        "decay_iterations": 1000,
        "learning_rate": 5e-4,
        "optimizer__name": "adam",
        "data__twins__num_train": 256,
        "operator": "ecc",
        "generator__width": 32,
        "critic__widths": (8, 16, 32),
    }
    estimates = {}
    for dtype in ("float32", "bfloat16"):
        state, metrics = run(tiny(**changes, compute_dtype=dtype))
        assert all(np.isfinite(values).all() for values in metrics.values())
        for leaf in jax.tree.leaves((state, metrics)):
            assert leaf.dtype in (np.float32, np.int32)
        estimates[dtype] = np.mean(metrics["wasserstein"][40:])
    assert abs(estimates["bfloat16"] / estimates["float32"] - 1) < 0.1


def bfloat16(*shape: int, seed: int) -> np.ndarray:
    """Random numbers that bfloat16 represents exactly."""
    values = np.random.default_rng(seed).normal(size=shape)
    return np.asarray(jnp.asarray(values, jnp.bfloat16).astype(jnp.float32), float)


def test_differences_of_products_are_computed_in_float32() -> None:
    """Use features far from 0 but close together, where bfloat16 would lose most digits."""
    h = 64 + bfloat16(1, 12, 5, seed=0).round(1)
    h = np.asarray(jnp.asarray(h, jnp.bfloat16).astype(jnp.float32), float)
    neighbours = np.random.default_rng(1).integers(0, 12, size=(1, 12, 3))
    w1, w2, b2 = bfloat16(5, 4, seed=2), bfloat16(4, 5, 3, seed=3), bfloat16(5, 3, seed=4)
    b1 = bfloat16(4, seed=5)
    cast = partial(jnp.asarray, dtype=jnp.bfloat16)

    expected = references.edge_conv(h, neighbours, w1, np.zeros_like(w1), "sum")
    phi, psi = cast(w1), jnp.zeros((5, 4), jnp.bfloat16)
    actual = jax.jit(edge_conv)(cast(h), neighbours, phi, psi)
    assert actual.dtype == jnp.bfloat16
    np.testing.assert_allclose(actual.astype(float), expected, rtol=0.01, atol=1e-3)

    expected = references.ecc(h, neighbours, w1, b1, w2, b2, delta=10.0, slope=0.2)
    network = FilterNetwork(cast(w1), cast(b1), cast(w2), cast(b2))
    actual = jax.jit(partial(ecc, delta=10.0, slope=0.2))(cast(h), neighbours, network)
    assert actual.dtype == jnp.bfloat16
    scale = np.abs(expected).max()
    np.testing.assert_allclose(actual.astype(float), expected, atol=0.02 * scale)


def test_matmul_precision_is_that_of_the_config(tiny: Tiny) -> None:
    experiment = tiny(matmul_precision="highest")
    images = jax.ShapeDtypeStruct((16, 768), jnp.uint8)
    shapes = experiment.state_shapes(), images, jax.ShapeDtypeStruct((1,), int)
    text = experiment.train_step(jax.devices()[:1]).lower(*shapes).as_text()
    matmuls = [line for line in text.splitlines() if "stablehlo.dot_general" in line]
    assert matmuls and all("HIGHEST" in line for line in matmuls)
