"""Variants of one computation: for CPUs, CUDA GPUs, TPUs, and any other platform (the default)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Literal, TypeVar

import jax
from jax import lax

Variant = Literal["cpu", "cuda", "tpu", "default"]
T = TypeVar("T")

_forced_variant = jax.make_user_context(default_value=None)


def by_platform(
    *operands: Any,
    default: Callable[..., T],
    cpu: Callable[..., T] | None = None,
    cuda: Callable[..., T] | None = None,
    tpu: Callable[..., T] | None = None,
) -> T:
    """Apply the variant for the platform that runs the program to the operands.

    A platform without a variant of its own gets `default`. A program lowered for several platforms
    contains the variants of all of them, unless `force_variant` is used.
    """
    given = {"cpu": cpu, "cuda": cuda, "tpu": tpu}
    variants = {platform: variant for platform, variant in given.items() if variant}
    forced = _forced_variant.value
    if forced is None:
        return lax.platform_dependent(*operands, default=default, **variants)
    return variants.get(forced, default)(*operands)


def force_variant(variant: Variant) -> AbstractContextManager[None]:
    """Make `by_platform` pick this variant on every platform, in all code traced in the context.

    For example, a model exported under `force_variant("default")` runs anywhere and contains no
    code written for one kind of processor. `jax.jit` retraces a function when the forced variant
    changes.
    """
    return _forced_variant(variant)


def scatters_atomically(jaxlib: str) -> bool:
    """Return whether this jaxlib adds float32 updates atomically on GPUs.

    Versions 0.10.2 to 0.11.0 emit a compare-and-swap loop instead, which is hundreds of times
    slower where updates collide (jax #38806).
    """
    release = tuple(int(part) for part in jaxlib.split(".")[:3] if part.isdecimal())
    return not (0, 10, 2) <= release < (0, 11, 1)
