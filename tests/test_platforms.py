"""Each platform gets its own form, and a fixed form is that of every platform."""

import jax
import jax.numpy as jnp
import pytest
from jax import Array

from gcgan_jax.platforms import Form, by_platform, fixed_form


@jax.jit
def sign_or_cosine(x: Array) -> Array:
    return by_platform(x, cpu=jnp.sign, default=jnp.cos)


def test_a_cpu_takes_its_form_unless_another_is_fixed() -> None:
    found = [sign_or_cosine(0.0)]
    with fixed_form("default"):
        found.append(sign_or_cosine(0.0))
        with fixed_form("cpu"):
            found.append(sign_or_cosine(0.0))
        found.append(sign_or_cosine(0.0))
    found.append(sign_or_cosine(0.0))
    assert found == [0, 1, 0, 1, 0]


@pytest.mark.parametrize(("form", "there"), [("cpu", "sign"), ("default", "cosine")])
def test_a_program_of_a_fixed_form_contains_no_other(form: Form, there: str) -> None:
    with fixed_form(form):
        exported = jax.export.export(sign_or_cosine, platforms=["cpu", "tpu", "cuda"])(
            jax.ShapeDtypeStruct((), jnp.float32)
        )
    module = exported.mlir_module()
    assert [name for name in ("sign", "cosine") if f"stablehlo.{name}" in module] == [there]
