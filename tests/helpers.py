"""Helpers for the tests of graphs, operators and layers."""

from collections.abc import Callable

import jax
import numpy as np
from jax import Array
from numpy import ndarray

from gcgan_jax import references
from gcgan_jax.platforms import fixed_form as branch


def assert_agrees(
    operator: Callable[..., Array],
    reference: Callable[..., ndarray],
    *arrays: ndarray,
    branches: tuple[str, ...] = ("cpu", "default"),
) -> None:
    """Compare value and gradients of each branch, jitted in float64, with the reference."""
    out = reference(*arrays)
    weights = np.random.default_rng(1).normal(size=out.shape)
    expected = references.gradients(lambda *arrays: np.sum(weights * reference(*arrays)), *arrays)

    def value_and_gradients(name: str, *arrays: Array) -> tuple[Array, ...]:
        with branch(name):
            out, vjp = jax.vjp(operator, *arrays)
            return out, *vjp(weights)

    with jax.enable_x64(True):
        results = jax.jit(
            lambda *arrays: [value_and_gradients(name, *arrays) for name in branches]
        )(*arrays)
    for value, *gradients in results:
        assert {array.dtype for array in (value, *gradients)} == {np.dtype(np.float64)}
        np.testing.assert_allclose(value, out, rtol=1e-12, atol=1e-12)
        for gradient, reference_gradient in zip(gradients, expected, strict=True):
            np.testing.assert_allclose(gradient, reference_gradient, rtol=1e-6, atol=1e-7)
