"""The directory that holds all of a run, and the config it was started with."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gcgan_jax.config import CHANGEABLE, differences, renamed_fields
from gcgan_jax.errors import UserError
from gcgan_jax.files import write_text

CONFIG = "config.json"


def open_workdir(workdir: Path, settings: Mapping[str, Any]) -> None:
    """Makes the directory and its config.json, or checks that they are this run's.

    Raises:
        UserError: it holds a run of another config.
    """
    path = workdir / CONFIG
    if path.exists():
        check_workdir(workdir, settings)
    write_text(path, json.dumps(settings, indent=2) + "\n")


def check_workdir(workdir: Path, settings: Mapping[str, Any]) -> None:
    """Raises UserError unless a run with these settings, changeable ones aside, is there."""
    path = workdir / CONFIG
    if not path.exists():
        raise UserError(f"--workdir={workdir} holds no run: train one there first")
    try:
        stored = json.loads(path.read_text())
    except ValueError as error:
        raise UserError(
            f"{path} is corrupted ({error}): restore it or use another --workdir"
        ) from None
    renamed = renamed_fields(stored)
    if renamed:
        raise UserError(
            f"--workdir={workdir} holds a run of gcgan_jax 0.1 ({renamed[0]} in {path.name}): use "
            "that version, or another --workdir"
        )
    resolved = json.loads(json.dumps(settings))  # as it is read back from the file
    changed = [name for name in differences(resolved, stored) if not _is_changeable(name)]
    if changed:
        values = ", ".join(
            f"{name} ({_field(stored, name)!r} there, {_field(resolved, name)!r} now)"
            for name in changed
        )
        raise UserError(
            f"--workdir={workdir} holds a run with another config: {values}. "
            "Go on with its config, or use another --workdir"
        )


def _is_changeable(name: str) -> bool:
    return name in CHANGEABLE or name.startswith(("eval.", "show."))


def _field(values: Any, name: str) -> Any:
    for part in name.split("."):
        values = values.get(part) if isinstance(values, dict) else None
    return values
