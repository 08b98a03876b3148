"""Merges of the local and the non-local branch."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gcgan_jax import references
from gcgan_jax.layers.merge import MERGES, Gate, Scale
from gcgan_jax.layers.statistics import BatchStatistics

LOCAL, NON_LOCAL = np.random.default_rng(0).normal(size=(2, 4, 3, 5, 2)).astype(np.float32)


def merged(name: str, params: dict[str, Any]) -> np.ndarray:
    return jax.jit(MERGES[name]().apply)({"params": params}, LOCAL, NON_LOCAL)


def test_merges() -> None:
    np.testing.assert_allclose(merged("average", {}), (LOCAL + NON_LOCAL) / 2, rtol=1e-6)
    np.testing.assert_allclose(merged("sum", {}), LOCAL + NON_LOCAL, rtol=1e-6)
    np.testing.assert_allclose(merged("gate", {"gate": -2.0}), LOCAL - 2 * NON_LOCAL, rtol=1e-5)
    scale = np.array([3.0, -0.5], np.float32)
    np.testing.assert_allclose(
        merged("scale", {"scale": scale}), LOCAL + scale * NON_LOCAL, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(
    ("merge", "name", "start"), [(Gate(), "gate", 0.0), (Scale(), "scale", [1e-5] * 2)]
)
def test_gates_start_closed_learn_and_are_in_the_diagnostics(
    merge: Gate | Scale, name: str, start: Any
) -> None:
    variables = {"params": jax.jit(merge.init)(jax.random.key(0), LOCAL, NON_LOCAL)["params"]}
    np.testing.assert_allclose(variables["params"][name], start)
    gradient = jax.jit(
        jax.grad(lambda variables: jnp.sum(merge.apply(variables, LOCAL, NON_LOCAL)))
    )(variables)["params"][name]
    axes = (0, 1, 2) if name == "scale" else None
    np.testing.assert_allclose(gradient, NON_LOCAL.sum(axis=axes), rtol=1e-4)
    _, sown = merge.apply(variables, LOCAL, NON_LOCAL, mutable="diagnostics")
    np.testing.assert_allclose(*sown["diagnostics"][name], np.mean(start))


@pytest.mark.parametrize("devices", [1, 2])
def test_normalised_branches(devices: int) -> None:
    statistics = BatchStatistics(0.9, 1e-5, use_running_average=False, axis_name="devices")
    merge = MERGES["sum"](normalise=True, statistics=statistics)
    parts = [branch.reshape(devices, -1, *branch.shape[1:]) for branch in (LOCAL, NON_LOCAL)]
    init = MERGES["sum"](normalise=True, statistics=BatchStatistics(0.9, 1e-5)).init
    variables = jax.jit(init)(jax.random.key(0), LOCAL, NON_LOCAL)
    apply = jax.pmap(
        lambda *branches: merge.apply(variables, *branches, mutable="batch_stats")[0],
        axis_name="devices",
        devices=jax.devices()[:devices],
    )
    one, zero = np.ones(2), np.zeros(2)
    expected = sum(references.batch_norm(x, one, zero, 1e-5) for x in (LOCAL, NON_LOCAL))
    np.testing.assert_allclose(apply(*parts).reshape(LOCAL.shape), expected, rtol=1e-4, atol=1e-5)


def test_normalising_needs_statistics() -> None:
    with pytest.raises(ValueError, match="normalise = True needs the statistics"):
        MERGES["average"](normalise=True).init(jax.random.key(0), LOCAL, NON_LOCAL)
