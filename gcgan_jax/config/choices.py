"""Components that a config chooses by name, and the constructor arguments it sets for them.

A table maps names to constructors. The constructor's configurable fields are annotated with a type
and a range (see `fields.py`); the program supplies the other arguments.

A table's name such as "tfds:NAME" stands for all names that begin with "tfds:". What follows is the
constructor's argument `name`; the section is called `tfds`.
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
    def kind(self) -> str:
        """The name of the section: the chosen name up to a colon."""
        return self.name.partition(":")[0]

    @property
    def section(self) -> Mapping[str, Any]:
        """Fields of the chosen component."""
        return self.sections.get(self.kind, {})


C = TypeVar("C", bound=Choice)


def fill_defaults(table: Mapping[str, Any], choice: C, path: str) -> C:
    """Reduce a choice to the section of the chosen component, with defaults for omitted fields.

    Raises:
        UserError: the name is unknown, or a section of any component is invalid.
    """
    require_named(table, choice.name, f"{path}.name")
    kinds = _kinds(table)
    require_known(choice.sections, [kind for kind, component in kinds.items() if component], path)
    given = {
        kind: read_section(kinds[kind], section, f"{path}.{kind}")
        for kind, section in choice.sections.items()
    }
    section = _defaults(kinds[choice.kind]) | given.get(choice.kind, {})
    return dataclasses.replace(choice, sections={choice.kind: section} if section else {})


def bind(table: Mapping[str, Any], choice: Choice, **arguments: Any) -> partial[Any]:
    """Bind the config's fields, and those `arguments` that it takes, to the chosen constructor."""
    component = component_of(table, choice)
    arguments |= {"name": choice.name.partition(":")[2]}
    accepted = {name: value for name, value in arguments.items() if takes(component, name)}
    return partial(component, **choice.section, **accepted)


def component_of(table: Mapping[str, Any], choice: Choice) -> Any:
    """Return the chosen component."""
    return _kinds(table)[choice.kind]


def takes(component: Any, name: str) -> bool:
    """Whether a component's constructor has an argument of this name."""
    return name in {field.name for field in dataclasses.fields(component)}


def require_named(table: Mapping[str, Any], name: str, path: str) -> None:
    """Raise a UserError that lists the table's names if `name` is not one of them."""
    kind, _, argument = name.partition(":")
    prefixes = [known.partition(":")[0] for known in table if ":" in known]
    valid = bool(argument) if kind in prefixes else name in table
    if not valid:
        raise UserError(f"{path} = {name!r}: {OneOf(tuple(table))}")


def _kinds(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the table's components by the names of their sections."""
    return {name.partition(":")[0]: component for name, component in table.items()}


def _defaults(component: type | None) -> dict[str, Any]:
    if component is None:
        return {}
    configurable = annotated_fields(component)
    return {
        field.name: field.default
        for field in dataclasses.fields(component)
        if field.name in configurable
    }
