"""Gathers and their gradients on every platform, against plain indexing and against loops."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from gcgan_jax.graphs.gather import gather_nodes, multiply_one_hot, scatter, sum_at_nodes
from gcgan_jax.platforms import Variant, force_variant, scatters_atomically

N, F = 7, 3


@pytest.mark.parametrize("k", [1, 4, N])
@pytest.mark.parametrize("variant", ["cpu", "tpu", "default"])
def test_value_and_derivatives_equal_those_of_indexing(k: int, variant: Variant) -> None:
    rng = np.random.default_rng(k)
    h, direction = rng.normal(size=(2, N, F))
    neighbours = rng.integers(N, size=(N, k))  # with duplicates and self-loops
    weights = rng.normal(size=(N, k, F))

    def derivatives(gather):
        def energy(h: Array) -> Array:
            return jnp.sum(weights * jnp.tanh(gather(h, neighbours)))

        def slope(h: Array) -> Array:
            return jnp.vdot(direction, jax.grad(energy)(h))

        return gather(h, neighbours), jax.grad(energy)(h), jax.grad(slope)(h)

    with jax.enable_x64(True), force_variant(variant):
        actual, expected = jax.jit(
            lambda h: (derivatives(gather_nodes), derivatives(lambda h, neighbours: h[neighbours]))
        )(h)
    for a, b in zip(actual, expected, strict=True):
        assert a.dtype == np.float64
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_sums_at_nodes() -> None:
    rng = np.random.default_rng(0)
    messages, neighbours = rng.normal(size=(N, 4, F)), rng.integers(N, size=(N, 4))
    expected = np.zeros((N, F))
    for i, j in np.ndindex(N, 4):
        expected[neighbours[i, j]] += messages[i, j]
    for function in (scatter, multiply_one_hot, sum_at_nodes):
        with jax.enable_x64(True):
            np.testing.assert_allclose(function(messages, neighbours), expected, rtol=1e-12)


def test_second_derivatives_of_sums_in_a_map_of_images() -> None:
    rng = np.random.default_rng(0)
    messages, neighbours = rng.normal(size=(2, N, 4, F)), rng.integers(N, size=(2, N, 4))

    def second(sums):
        def energy(messages: Array) -> Array:
            return jnp.sum(jax.lax.map(lambda image: sums(*image), (messages, neighbours)) ** 3)

        return jax.grad(lambda messages: jnp.sum(jax.grad(energy)(messages) ** 2))

    with jax.enable_x64(True):
        actual, expected = jax.jit(lambda m: (second(sum_at_nodes)(m), second(scatter)(m)))(
            messages
        )
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-12)


def test_bfloat16_messages_are_summed_in_float32() -> None:
    messages = jnp.full((N, 60, F), 1 + 2**-7, jnp.bfloat16)
    for function in (scatter, multiply_one_hot):
        sums = function(messages, jnp.zeros((N, 60), int))
        assert sums.dtype == jnp.bfloat16
        np.testing.assert_array_equal(sums[0], jnp.bfloat16(420 * (1 + 2**-7)))


@pytest.mark.parametrize(("platform", "scatters"), [("cpu", 1), ("tpu", 0)])
def test_a_tpu_gets_no_scatter(platform: str, scatters: int) -> None:
    gradient = jax.jit(jax.vmap(jax.grad(lambda h, j: jnp.sum(jnp.sin(gather_nodes(h, j))))))
    shapes = jax.ShapeDtypeStruct((2, N, F), float), jax.ShapeDtypeStruct((2, N, 4), int)
    text = gradient.trace(*shapes).lower(lowering_platforms=(platform,)).as_text()
    assert text.count('"stablehlo.scatter"') == scatters


@pytest.mark.parametrize(
    ("jaxlib", "atomic"),
    [("0.9.0", True), ("0.10.2", False), ("0.11.0", False), ("0.11.1", True), ("0.12.0.1", True)],
)
def test_versions_with_atomic_scatters(jaxlib: str, atomic: bool) -> None:
    assert scatters_atomically(jaxlib) == atomic
