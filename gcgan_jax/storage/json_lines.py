"""Files with one JSON object per line, to which other programs may have written too.

Lines that cannot be used are rejected: readers skip them, and whoever rewrites the file moves them,
byte for byte, to a second file beside it.
"""

import json
import os
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Generic, NoReturn, TypeVar

from gcgan_jax.regular_files import open_append, open_regular, read_regular
from gcgan_jax.runtime.console import report
from gcgan_jax.storage.atomic import name_path_in_errors, write_atomically

LONGEST = 2**20  # bytes of a line; longer ones are not parsed

T = TypeVar("T")


@dataclass(frozen=True)
class Lines(Generic[T]):
    """What a file holds: parsed rows, and the other lines without their line feeds."""

    rows: list[T]
    rejected: list[bytes]


def read_json_lines(
    path: Path, parse: Callable[[dict[str, Any]], T], key: Callable[[T], Hashable]
) -> Lines[T]:
    """Read a file; one that does not exist has no lines, and empty lines are skipped.

    Args:
        parse: function that makes a row of a JSON object, or raises ValueError to reject it.
        key: function of a row; of several rows with the same key, only the first is a row.

    Raises:
        UserError: the path is no regular file.
    """
    if not path.exists():
        return Lines([], [])
    rows: dict[Hashable, T] = {}
    rejected = []
    with open_regular(path) as file:
        for line in filter(None, (line.removesuffix(b"\n") for line in file)):
            try:
                row = parse(_parse_object(line))
            except ValueError:
                rejected.append(line)
                continue
            if key(row) in rows:
                rejected.append(line)
            else:
                rows[key(row)] = row
    return Lines(list(rows.values()), rejected)


def append_json_lines(path: Path, values: Iterable[dict[str, Any]]) -> None:
    """Append objects to a file, starting on a new line even if its last line is cut off.

    Raises:
        UserError: the path is a link or no regular file.
    """
    with name_path_in_errors(path), open_append(path) as file:
        file.write(_missing_line_feed(file) + b"".join(map(_line, values)))
        file.flush()
        os.fsync(file.fileno())


def rewrite_json_lines(
    path: Path, values: Iterable[dict[str, Any]], rejected: Sequence[bytes]
) -> None:
    """Replace an entire file atomically, after moving rejected lines to <path>.rejected.

    Raises:
        UserError: the path of the rejected lines is no regular file.
    """
    if rejected:
        beside = path.with_name(f"{path.name}.rejected")
        _set_aside(beside, b"".join(line + b"\n" for line in rejected))
    write_atomically(path, lambda file: file.write(b"".join(map(_line, values))))
    if rejected:
        report(
            f"lines in {path} that are corrupted, repeated or of another version: {len(rejected)}, "
            f"moved to {beside}"
        )


def _set_aside(path: Path, lines: bytes) -> None:
    """Add lines to a file unless it ends with them: a process was killed before the next step."""
    stored = read_regular(path) if path.exists() else b""
    if stored and not stored.endswith(b"\n"):
        stored += b"\n"
    if not (b"\n" + stored).endswith(b"\n" + lines):
        write_atomically(path, lambda file: file.write(stored + lines))


def _missing_line_feed(file: BinaryIO) -> bytes:
    if not file.seek(0, os.SEEK_END):
        return b""
    file.seek(-1, os.SEEK_END)
    return b"" if file.read(1) == b"\n" else b"\n"


def _parse_object(line: bytes) -> dict[str, Any]:
    """Parse a JSON object.

    Raises:
        ValueError: the line is too long, not UTF-8, not JSON or no object, or it repeats a name.
    """
    if len(line) > LONGEST:
        raise ValueError("too long")
    try:
        value = DECODER.decode(line.decode())
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("repeated name")
    return values


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


# json.loads would make one a line, which takes a third of its time.
DECODER = json.JSONDecoder(object_pairs_hook=_without_repeats, parse_constant=_reject_constant)


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"
