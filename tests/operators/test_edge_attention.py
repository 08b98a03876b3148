"""The rules for delta, on one device and on two."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from gcgan_jax import references
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.layers.statistics import BatchStatistics
from gcgan_jax.operators.ecc import ECC

RNG = np.random.default_rng(0)
H, NEIGHBOURS = RNG.normal(size=(4, 5, 3)).astype(np.float32), RNG.integers(5, size=(4, 5, 2))


def layer(rule: str, **options: Any) -> ECC:
    statistics = BatchStatistics(0.75, 1e-5, **options)
    return ECC(2, hidden=4, delta=3.0, delta_rule=rule, statistics=statistics)


def mean_squared_difference(h: np.ndarray, neighbours: np.ndarray) -> float:
    edges = [(b, i, j) for b, i in np.ndindex(*h.shape[:2]) for j in neighbours[b, i]]
    return float(np.mean([np.sum((h[b, j] - h[b, i]) ** 2) for b, i, j in edges]))


def expected(params: dict, delta: float) -> np.ndarray:
    weights = {name: params[name] for name in ("w1", "b1", "w2", "b2")}
    return references.ecc(H, NEIGHBOURS, **weights, delta=delta, slope=0.2)


def init(operator: ECC) -> dict:
    return jax.jit(operator.init)(jax.random.key(0), H, Neighbours(NEIGHBOURS))


def test_learned_delta_starts_at_its_value_and_has_a_gradient() -> None:
    operator = layer("learned")
    variables = init(operator)
    np.testing.assert_allclose(variables["params"]["scale"]["log_delta"], np.log(3.0), rtol=1e-6)
    variables["params"]["scale"]["log_delta"] = jnp.log(2.0)

    def total(variables: dict) -> tuple[Array, Array]:
        out = operator.apply(variables, H, Neighbours(NEIGHBOURS))
        return jnp.sum(out**2), out

    gradient, out = jax.jit(jax.grad(total, has_aux=True))(variables)
    np.testing.assert_allclose(out, expected(variables["params"], 2.0), rtol=1e-4, atol=1e-6)
    above, below = (
        np.sum(expected(variables["params"], 2.0 * np.exp(s)) ** 2) for s in (1e-4, -1e-4)
    )
    numerical = (above - below) / 2e-4
    np.testing.assert_allclose(gradient["params"]["scale"]["log_delta"], numerical, rtol=1e-3)


def test_adaptive_delta_is_the_batch_mean_or_its_running_average() -> None:
    variables = init(layer("adaptive"))
    edges = Neighbours(NEIGHBOURS)
    training = layer("adaptive", use_running_average=False)
    out, updated = jax.jit(lambda v: training.apply(v, H, edges, mutable="batch_stats"))(variables)
    mean = mean_squared_difference(H, NEIGHBOURS)
    np.testing.assert_allclose(out, expected(variables["params"], mean), rtol=1e-4, atol=1e-6)
    running = 0.75 + 0.25 * mean
    np.testing.assert_allclose(updated["batch_stats"]["scale"]["mean"]["mean"], running, rtol=1e-6)
    evaluated = jax.jit(layer("adaptive").apply)(variables | updated, H, edges)
    np.testing.assert_allclose(evaluated, expected(variables["params"], running), rtol=1e-4)


def test_adaptive_delta_is_that_of_all_devices(two_devices: list[jax.Device]) -> None:
    variables = init(layer("adaptive"))
    operator = layer("adaptive", use_running_average=False, axis_name="devices")

    def apply(h: Array, neighbours: Array) -> tuple[Array, dict]:
        return operator.apply(variables, h, Neighbours(neighbours), mutable="batch_stats")

    parts = H.reshape(2, 2, 5, 3), NEIGHBOURS.reshape(2, 2, 5, 2)
    out, updated = jax.pmap(apply, axis_name="devices", devices=two_devices)(*parts)
    mean = mean_squared_difference(H, NEIGHBOURS)
    reference = expected(variables["params"], mean).reshape(out.shape)
    np.testing.assert_allclose(out, reference, rtol=1e-4, atol=1e-6)
    (running,) = jax.tree.leaves(updated)
    np.testing.assert_allclose(running, [0.75 + 0.25 * mean] * 2, rtol=1e-6)


def test_no_gradient_flows_through_the_adaptive_mean() -> None:
    variables = init(layer("adaptive"))
    operator = layer("adaptive", use_running_average=False)
    mean = mean_squared_difference(H, NEIGHBOURS)
    fixed = ECC(2, hidden=4, delta=mean)

    def gradient(operator: ECC) -> Array:
        def total(h: Array) -> Array:
            out, _ = operator.apply(variables, h, Neighbours(NEIGHBOURS), mutable="batch_stats")
            return jnp.sum(out**2)

        return jax.jit(jax.grad(total))(jnp.asarray(H))

    np.testing.assert_allclose(gradient(operator), gradient(fixed), rtol=1e-3, atol=1e-5)


def test_adaptive_delta_needs_statistics() -> None:
    with pytest.raises(ValueError, match="'adaptive' needs the statistics of a batch"):
        jax.eval_shape(lambda: init(ECC(2, delta_rule="adaptive")))
