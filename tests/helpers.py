"""What the tests of the layers share."""

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
    """Value and gradients of each branch, jitted and in float64, are those of the reference."""
    out = reference(*arrays)
    weights = np.random.default_rng(1).normal(size=out.shape)
    wanted = references.gradients(lambda *arrays: np.sum(weights * reference(*arrays)), *arrays)

    def value_and_gradients(name: str, *arrays: Array) -> tuple[Array, ...]:
        with branch(name):
            out, pull_back = jax.vjp(operator, *arrays)
            return out, *pull_back(weights)

    with jax.enable_x64(True):
        results = jax.jit(
            lambda *arrays: [value_and_gradients(name, *arrays) for name in branches]
        )(*arrays)
    for found in results:
        assert {array.dtype for array in found} == {np.dtype(np.float64)}
        np.testing.assert_allclose(found[0], out, rtol=1e-12, atol=1e-12)
        for gradient, differences in zip(found[1:], wanted, strict=True):
            np.testing.assert_allclose(gradient, differences, rtol=1e-6, atol=1e-7)
