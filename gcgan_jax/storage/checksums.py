"""Checksums of all files in a directory, written last to mark the directory as complete.

The file has the format of coreutils, so `sha256sum -c SHA256SUMS` verifies it too.
"""

import hashlib
from pathlib import Path

from gcgan_jax.errors import UserError
from gcgan_jax.regular_files import open_regular, read_regular
from gcgan_jax.storage.atomic import write_text

FILE = "SHA256SUMS"


def write_checksums(directory: Path) -> None:
    """Write the checksums of all files in the directory."""
    write_text(directory / FILE, _checksums(directory))


def is_finished(directory: Path) -> bool:
    return (directory / FILE).is_file()


def find_corruption(directory: Path) -> str | None:
    """Describe the first mismatch in a few words; None if the directory matches its checksums."""
    if not is_finished(directory):
        return "it is incomplete"
    try:
        stored, current = read_regular(directory / FILE), _checksums(directory)
    except UserError as error:
        return str(error)
    if stored == current.encode():
        return None
    expected, actual = _lines(stored.decode(errors="replace")), _lines(current)
    for name in sorted(expected.keys() | actual.keys()):
        if name not in actual:
            return f"{name} is missing"
        if name not in expected:
            return f"{name} is not in {FILE}"
        if expected[name] != actual[name]:
            return f"{name} does not match its checksum"
    return f"{FILE} is corrupted"


def _checksums(directory: Path) -> str:
    """Return a line with SHA-256 and path for each file below the directory, except the list.

    Raises:
        UserError: there is a pipe, a device or a socket.
    """
    paths = {
        path.relative_to(directory).as_posix(): path
        for path in directory.rglob("*")
        if not path.is_dir() and path != directory / FILE
    }
    return "".join(f"{_sha256(paths[name])}  {name}\n" for name in sorted(paths))


def _sha256(path: Path) -> str:
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _lines(checksums: str) -> dict[str, str]:
    """Index the lines by path."""
    return {line[66:]: line for line in checksums.splitlines()}
