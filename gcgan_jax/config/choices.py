"""A choice: a part of the program by its name in a table, and the fields of its constructor.

A part's fields that a config may set are annotated with a type and a range (see `fields.py`); what
else it needs it is given by the program.
"""

import dataclasses
from collections.abc import Mapping
from functools import partial
from typing import Any, TypeVar

from gcgan_jax.config.fields import annotated_fields, read_section, require_known
from gcgan_jax.errors import UserError
from gcgan_jax.ranges import OneOf


@dataclasses.dataclass(frozen=True)
class Choice:
    """A part by its name, and a section of fields for each part that the config has any of."""

    name: str
    sections: Mapping[str, Mapping[str, Any]] = dataclasses.field(hash=False)

    @property
    def section(self) -> Mapping[str, Any]:
        """The fields of the part that is named."""
        return self.sections.get(self.name, {})


C = TypeVar("C", bound=Choice)


def complete(table: Mapping[str, Any], choice: C, path: str) -> C:
    """The choice with just the section of the part that it names, with all fields in it.

    Raises:
        UserError: there is no such part, or a section of any part is wrong.
    """
    require_named(table, choice.name, f"{path}.name")
    require_known(choice.sections, [name for name, part in table.items() if part], path)
    given = {
        name: read_section(table[name], section, f"{path}.{name}")
        for name, section in choice.sections.items()
    }
    section = _defaults(table[choice.name]) | given.get(choice.name, {})
    return dataclasses.replace(choice, sections={choice.name: section} if section else {})


def part(table: Mapping[str, Any], choice: Choice, **given: Any) -> partial[Any]:
    """Makes the part chosen, with the fields of its section and those of `given` that it has."""
    chosen = table[choice.name]
    has = {field.name for field in dataclasses.fields(chosen)}
    return partial(chosen, **choice.section, **{k: v for k, v in given.items() if k in has})


def require_named(table: Mapping[str, Any], name: str, path: str) -> None:
    """Raises UserError, which lists the names of the table, if it has no such name."""
    known = OneOf(tuple(table))
    if not known.holds(name):
        raise UserError(f"{path} = {name!r}: {known}")


def _defaults(chosen: type | None) -> dict[str, Any]:
    if chosen is None:
        return {}
    settable = annotated_fields(chosen)
    return {
        field.name: field.default for field in dataclasses.fields(chosen) if field.name in settable
    }
