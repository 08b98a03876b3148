"""How a field is read: its type, its range, and one line for a value that has neither.

A class's fields are those annotated with a type and a range, `Annotated[int, Interval(1, 9)]`.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from gcgan_jax.errors import UserError
from gcgan_jax.ranges import Range


def annotated_fields(owner: type) -> dict[str, tuple[Any, Range]]:
    """Type and range of each field of a class that has a range."""
    hints = get_type_hints(owner, include_extras=True)
    return {name: get_args(hint) for name, hint in hints.items() if get_origin(hint) is Annotated}


def read_section(owner: type, values: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The fields of `owner` that `values` gives; what it leaves out keeps the class's default.

    Raises:
        UserError: a field is unknown, of another type or out of range.
    """
    fields = annotated_fields(owner)
    require_known(values, list(fields), path)
    return {
        name: read_value(*fields[name], value, f"{path}.{name}") for name, value in values.items()
    }


def read_value(kind: Any, allowed: Range, value: Any, path: str) -> Any:
    """The value, converted to its type.

    Raises:
        UserError: it is of another type or out of range.
    """
    optional = isinstance(kind, UnionType)
    if optional:
        (kind,) = (option for option in get_args(kind) if option is not NoneType)
        if value is None:
            return None
    value = _convert(kind, value, path)
    if not allowed.holds(value):
        raise UserError(f"{path} = {value!r}: {allowed}{', or None' if optional else ''}")
    return value


def require_known(names: Mapping[str, Any], known: list[str], path: str) -> None:
    """Raises UserError for the first name that is not known."""
    for name in names:
        if name not in known:
            raise UserError(f"{path}.{name}: no such field; {nearest(str(name), known)}")


def nearest(name: str, names: list[str]) -> str:
    """The name that is likely meant, as a question; if there is none, all names."""
    close = get_close_matches(name, names, 1)
    return f"did you mean {close[0]!r}?" if close else f"there are {', '.join(names)}"


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
    raise UserError(f"{path} = {value!r}: expected {expected}, got {type(value).__name__}")
