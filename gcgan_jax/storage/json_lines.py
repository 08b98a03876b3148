"""Files that hold one JSON object a line."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gcgan_jax.storage.atomic import naming, write_text


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file, none if it does not exist; a line that was cut off is left out."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text().splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def append_json_line(path: Path, value: dict[str, Any]) -> None:
    with naming(path), path.open("a") as file:
        file.write(_line(value))


def write_json_lines(path: Path, values: Iterable[dict[str, Any]]) -> None:
    """Replaces the whole file, atomically."""
    write_text(path, "".join(map(_line, values)))


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value) + "\n"
