"""Two variants of one computation: for CPUs, and for accelerators (the default)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Literal, TypeVar

import jax
from jax import lax

Variant = Literal["cpu", "default"]
T = TypeVar("T")

_forced_variant = jax.make_user_context(default_value=None)


def by_platform(*operands: Any, cpu: Callable[..., T], default: Callable[..., T]) -> T:
    """Apply `cpu` or `default` to the operands, depending on the platform that runs the program.

    A program lowered for several platforms contains both variants, unless `force_variant` is used.
    """
    variant = _forced_variant.value
    if variant is None:
        return lax.platform_dependent(*operands, cpu=cpu, default=default)
    return {"cpu": cpu, "default": default}[variant](*operands)


def force_variant(variant: Variant) -> AbstractContextManager[None]:
    """Make `by_platform` pick this variant on every platform, in all code traced in the context.

    For example, a model exported under `force_variant("default")` runs anywhere and contains no
    code written for CPUs. `jax.jit` retraces a function when the forced variant changes.
    """
    return _forced_variant(variant)
