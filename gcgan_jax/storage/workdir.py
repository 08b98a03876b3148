"""The working directory of a run, and the config stored in it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gcgan_jax.errors import UserError
from gcgan_jax.storage.atomic import write_text

CONFIG = "config.json"


def holds_run(workdir: Path) -> bool:
    return (workdir / CONFIG).exists()


def write_settings(workdir: Path, settings: Mapping[str, Any]) -> None:
    write_text(workdir / CONFIG, json.dumps(settings, indent=2) + "\n")


def read_settings(workdir: Path) -> dict[str, Any]:
    """Read the config that the run in a workdir was started with.

    Raises:
        UserError: the config is missing or corrupted.
    """
    path = workdir / CONFIG
    if not path.exists():
        raise UserError(f"--workdir={workdir} holds no run: train one there first")
    try:
        settings: dict[str, Any] = json.loads(path.read_text())
    except ValueError as error:
        raise UserError(
            f"{path} is corrupted ({error}): restore it or use another --workdir"
        ) from None
    return settings
