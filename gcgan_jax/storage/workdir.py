"""The working directory of a run, the config stored in it, and other directories to write to."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gcgan_jax.errors import UserError
from gcgan_jax.regular_files import open_regular
from gcgan_jax.storage.atomic import write_text

CONFIG = "config.json"
LARGEST = 2**20  # bytes of a config
DEEPEST = 20  # levels of a config


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
    with open_regular(path) as file:
        content = file.read(LARGEST + 1)
    try:
        return _parse(content)
    except ValueError as error:
        raise UserError(
            f"{path} is corrupted ({error}): restore it or use another --workdir"
        ) from None


def require_output(out: Path, workdir: Path) -> None:
    """Check that a command can write its results to `out`, which need not exist yet.

    Raises:
        UserError: it cannot, or `out` is the workdir of another run.
    """
    try:
        out.exists()  # its name may be too long
        existing = next(path for path in (out, *out.absolute().parents) if os.path.lexists(path))
        with TemporaryDirectory(dir=existing):
            pass
    except OSError as error:
        reason = error.strerror
        raise UserError(f"--out={out} cannot be written ({reason}): choose another --out") from None
    if holds_run(out) and not (workdir.exists() and out.samefile(workdir)):
        raise UserError(f"--out={out} is the workdir of another run: choose another --out")


def pictures(directory: Path) -> Path:
    """Return the directory for pictures in a workdir or other directory, after creating it."""
    path = directory / "pictures"
    path.mkdir(parents=True, exist_ok=True)
    return path


def _parse(content: bytes) -> dict[str, Any]:
    """Parse a config; raise ValueError if it is none."""
    if len(content) > LARGEST:
        raise ValueError(f"larger than {LARGEST} bytes")
    try:
        settings = json.loads(content.decode())
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(settings, dict):
        raise ValueError(f"expected an object, found {type(settings).__name__}")
    if _is_deeper(settings, DEEPEST):
        raise ValueError("nested too deeply")
    return settings


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects are nested in more than this many levels."""
    if not isinstance(value, dict | list):
        return False
    children = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(child, levels - 1) for child in children)
