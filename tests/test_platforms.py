"""Each platform gets its own variant unless a variant is forced."""

import jax
import jax.numpy as jnp
import pytest
from jax import Array

from gcgan_jax.platforms import Variant, by_platform, force_variant


@jax.jit
def sign_or_cosine(x: Array) -> Array:
    return by_platform(x, cpu=jnp.sign, default=jnp.cos)


def test_a_cpu_runs_its_variant_unless_another_is_forced() -> None:
    actual = [sign_or_cosine(0.0)]
    with force_variant("default"):
        actual.append(sign_or_cosine(0.0))
        with force_variant("cpu"):
            actual.append(sign_or_cosine(0.0))
        actual.append(sign_or_cosine(0.0))
    actual.append(sign_or_cosine(0.0))
    assert actual == [0, 1, 0, 1, 0]


@pytest.mark.parametrize(("variant", "operation"), [("cpu", "sign"), ("default", "cosine")])
def test_export_with_a_forced_variant_contains_no_other(variant: Variant, operation: str) -> None:
    with force_variant(variant):
        exported = jax.export.export(sign_or_cosine, platforms=["cpu", "tpu", "cuda"])(
            jax.ShapeDtypeStruct((), jnp.float32)
        )
    module = exported.mlir_module()
    assert [op for op in ("sign", "cosine") if f"stablehlo.{op}" in module] == [operation]
