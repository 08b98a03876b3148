"""Two forms of one computation: for CPUs, and for accelerators (the default)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Literal, TypeVar

import jax
from jax import lax

Form = Literal["cpu", "default"]
T = TypeVar("T")

_fixed_form = jax.make_user_context(default_value=None)


def by_platform(*operands: Any, cpu: Callable[..., T], default: Callable[..., T]) -> T:
    """Applies `cpu` or `default` to the operands, depending on the platform that runs the program.

    A program lowered for several platforms contains both forms, unless `fixed_form` picks one.
    """
    form = _fixed_form.value
    if form is None:
        return lax.platform_dependent(*operands, cpu=cpu, default=default)
    return {"cpu": cpu, "default": default}[form](*operands)


def fixed_form(form: Form) -> AbstractContextManager[None]:
    """Makes `by_platform` pick this form on every platform, in all code traced within the context.

    For example, a model exported under `fixed_form("default")` runs anywhere and contains no code
    written for CPUs. `jax.jit` traces a function again when the form changes.
    """
    return _fixed_form(form)
