"""FLOPs and memory of traced programs, against hand arithmetic."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax import lax

from gcgan_jax.runtime.traced_cost import Cost, trace_cost


def cost_of(function: Callable[..., Any], *shapes: tuple[int, ...]) -> Cost:
    arrays = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    return trace_cost(jax.make_jaxpr(function)(*arrays).jaxpr)


def test_matmuls_in_loops_and_scopes() -> None:
    def program(x: jax.Array, w: jax.Array) -> jax.Array:
        with jax.named_scope("loop"):
            return lax.scan(lambda y, _: (jax.jit(jnp.matmul)(y, w), None), x, length=7)[0] @ w

    cost = cost_of(program, (3, 5), (5, 5))
    assert cost.flops.total() == (7 + 1) * 2 * 3 * 5 * 5
    assert all(scope.startswith("/loop") for scope, flops in cost.flops.items() if flops)


@pytest.mark.parametrize("features", [1, 4])
def test_convolution(features: int) -> None:
    def program(x: jax.Array, kernel: jax.Array) -> jax.Array:
        dimensions = ("NHWC", "HWIO", "NHWC")
        return lax.conv_general_dilated(x, kernel, (2, 2), "SAME", dimension_numbers=dimensions)

    cost = cost_of(program, (2, 8, 8, 3), (5, 5, 3, features))
    assert cost.flops.total() == 2 * (2 * 4 * 4 * features) * 5 * 5 * 3


def test_what_is_not_used_does_not_count() -> None:
    def program(x: jax.Array) -> jax.Array:
        del_ = x @ x.T  # noqa: F841
        return x.T @ x

    assert cost_of(program, (10, 2)).flops.total() == 2 * 2 * 10 * 2


def test_bytes_are_those_of_arrays_that_are_alive_at_once() -> None:
    def chain(x: jax.Array) -> jax.Array:
        return jnp.sum(jnp.sin(jnp.cos(jnp.tan(x))))

    def gradient(x: jax.Array) -> jax.Array:  # keeps cos, sin and 1 + tan^2 until they are needed
        return jax.grad(chain)(x)

    assert cost_of(chain, (100,)).bytes == 2 * 400
    assert 4 * 400 <= cost_of(gradient, (100,)).bytes <= 6 * 400
    assert cost_of(lambda x: x, (100,)).bytes == 0


def test_a_loop_needs_what_one_pass_needs() -> None:
    def looped(x: jax.Array) -> jax.Array:
        return lax.map(lambda row: jnp.sum(jnp.outer(row, row)), x)

    short, long = (cost_of(looped, (n, 50)).bytes for n in (2, 200))
    assert 50 * 50 * 4 <= short <= long < short + 200 * 60 * 4
