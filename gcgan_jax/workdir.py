"""The directory that holds all of a run, and the config it was started with."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from gcgan_jax.config import Config, differences
from gcgan_jax.errors import UserError
from gcgan_jax.files import write_text

# May differ from the config the run was started with, as may all of `eval` and `show`: they do not
# change what was computed so far.
FREE = (
    "num_iterations",
    "log_every",
    "sample_every",
    "checkpoint_every",
    "compilation_cache",
    "profile",
    "eval_every",
    "data.dir",
    "checkpoint",
)


CONFIG = "config.json"


def open_workdir(workdir: Path, config: Config) -> None:
    """Makes the directory and its config.json, or checks that they are this run's.

    Raises:
        UserError: it holds a run of another config.
    """
    path = workdir / CONFIG
    if path.exists():
        check_workdir(workdir, config)
    write_text(path, json.dumps(_plain(config), indent=2) + "\n")


def check_workdir(workdir: Path, config: Config) -> None:
    """Raises UserError unless the directory holds a run of this config, but for free fields."""
    path = workdir / CONFIG
    if not path.exists():
        raise UserError(f"--workdir={workdir} holds no run: train one there first")
    try:
        stored = json.loads(path.read_text())
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}): mend it or use another --workdir") from None
    resolved = _plain(config)
    changed = [name for name in differences(resolved, stored) if not _is_free(name)]
    if changed:
        values = ", ".join(
            f"{name} ({_field(stored, name)!r} there, {_field(resolved, name)!r} now)"
            for name in changed
        )
        raise UserError(
            f"--workdir={workdir} holds a run with another config: {values}. "
            "Go on with its config, or use another --workdir"
        )


def _plain(config: Config) -> dict[str, Any]:
    """As it is read back from a file."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


def _is_free(name: str) -> bool:
    return name in FREE or name.startswith(("eval.", "show."))


def _field(values: Any, name: str) -> Any:
    for part in name.split("."):
        values = values.get(part) if isinstance(values, dict) else None
    return values
