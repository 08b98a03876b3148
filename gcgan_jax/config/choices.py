"""Components that a config chooses by name, and the constructor arguments it sets for them.

A table maps names to constructors. The constructor's configurable fields are annotated with a type
and a range (see `fields.py`); the program supplies the other arguments.
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
    """The name of a component, and the sections of fields that the config gives, by component."""

    name: str
    sections: Mapping[str, Mapping[str, Any]] = dataclasses.field(hash=False)

    @property
    def section(self) -> Mapping[str, Any]:
        """Fields of the chosen component."""
        return self.sections.get(self.name, {})


C = TypeVar("C", bound=Choice)


def fill_defaults(table: Mapping[str, Any], choice: C, path: str) -> C:
    """Reduce a choice to the section of the chosen component, with defaults for omitted fields.

    Raises:
        UserError: the name is unknown, or a section of any component is invalid.
    """
    require_named(table, choice.name, f"{path}.name")
    require_known(choice.sections, [name for name, component in table.items() if component], path)
    given = {
        name: read_section(table[name], section, f"{path}.{name}")
        for name, section in choice.sections.items()
    }
    section = _defaults(table[choice.name]) | given.get(choice.name, {})
    return dataclasses.replace(choice, sections={choice.name: section} if section else {})


def bind(table: Mapping[str, Any], choice: Choice, **arguments: Any) -> partial[Any]:
    """Bind the config's fields, and those `arguments` that it takes, to the chosen constructor."""
    component = table[choice.name]
    accepted = {name: value for name, value in arguments.items() if takes(component, name)}
    return partial(component, **choice.section, **accepted)


def takes(component: Any, name: str) -> bool:
    """Whether a component's constructor has an argument of this name."""
    return name in {field.name for field in dataclasses.fields(component)}


def require_named(table: Mapping[str, Any], name: str, path: str) -> None:
    """Raise a UserError that lists the table's names if `name` is not one of them."""
    known = OneOf(tuple(table))
    if not known.contains(name):
        raise UserError(f"{path} = {name!r}: {known}")


def _defaults(component: type | None) -> dict[str, Any]:
    if component is None:
        return {}
    configurable = annotated_fields(component)
    return {
        field.name: field.default
        for field in dataclasses.fields(component)
        if field.name in configurable
    }
