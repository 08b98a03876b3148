"""Files with one JSON object per line."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gcgan_jax.storage.atomic import name_path_in_errors, write_text


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """Read all objects in a file, without truncated lines; return [] if there is no file."""
    if not path.exists():
        return []
    objects = []
    for line in path.read_text().splitlines():
        try:
            objects.append(json.loads(line))
        except ValueError:
            continue
    return objects


def append_json_line(path: Path, value: dict[str, Any]) -> None:
    with name_path_in_errors(path), path.open("a") as file:
        file.write(_line(value))


def write_json_lines(path: Path, values: Iterable[dict[str, Any]]) -> None:
    """Replace the entire file atomically."""
    write_text(path, "".join(map(_line, values)))


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value) + "\n"
