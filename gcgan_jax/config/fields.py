"""Parsing of config values by their type and range, with a one-line error for invalid ones.

The configurable fields of a class are those annotated with both: `Annotated[int, Interval(1, 9)]`.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from gcgan_jax.errors import UserError
from gcgan_jax.ranges import Interval, LocalPath, Range, shown


def annotated_fields(owner: type) -> dict[str, tuple[Any, Range]]:
    """Return the type and range of each field of a class that has a range."""
    hints = get_type_hints(owner, include_extras=True)
    return {name: get_args(hint) for name, hint in hints.items() if get_origin(hint) is Annotated}


def read_section(owner: type, values: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Parse the fields of `owner` that are in `values`; omitted ones keep the class's default.

    Raises:
        UserError: a field is unknown, has the wrong type or is out of range.
    """
    fields = annotated_fields(owner)
    require_known(values, list(fields), path)
    return {
        name: read_value(*fields[name], value, f"{path}.{name}") for name, value in values.items()
    }


def read_value(kind: Any, allowed: Range, value: Any, path: str) -> Any:
    """Return the value converted to the type `kind`.

    Raises:
        UserError: the value has the wrong type or is out of range.
    """
    optional = isinstance(kind, UnionType)
    if optional:
        (kind,) = (option for option in get_args(kind) if option is not NoneType)
        if value is None:
            return None
    value = _convert(kind, value, path)
    if not allowed.contains(value):
        explain = allowed.explain if isinstance(allowed, Interval | LocalPath) else None
        reason = explain(value) if explain else str(allowed)
        raise UserError(f"{path} = {shown(value)}: {reason}{', or None' if optional else ''}")
    return value


def require_known(names: Mapping[Any, Any], known: list[str], path: str) -> None:
    """Raise UserError for the first name that is not in `known`."""
    for name in names:
        if not isinstance(name, str) or name not in known:
            raise UserError(f"{path}.{name}: no such field; {suggest(str(name), known)}")


def suggest(name: str, known: list[str]) -> str:
    """Suggest the known field closest to a misspelt one, or list all if none is close."""
    close = get_close_matches(name, known, 1)
    return f"did you mean {close[0]!r}?" if close else f"the fields are {', '.join(known)}"


EXPECTED = {tuple[int, ...]: "(int, int, …)", tuple[str, ...]: "(str, str, …)"}


def _convert(kind: Any, value: Any, path: str) -> Any:
    if kind in EXPECTED:
        (item_type, _) = get_args(kind)
        if isinstance(value, list | tuple) and all(type(item) is item_type for item in value):
            return tuple(value)
    elif type(value) is kind:
        return value
    elif kind is float and type(value) is int and abs(value) < 2**53:
        return float(value)
    expected = EXPECTED.get(kind) or kind.__name__
    raise UserError(f"{path} = {shown(value)}: expected {expected}, got {type(value).__name__}")
