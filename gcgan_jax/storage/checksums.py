"""Checksums of all files in a directory, written last to mark the directory as complete.

The file has the format of coreutils, so `sha256sum -c SHA256SUMS` verifies it too.
"""

import hashlib
from pathlib import Path

from gcgan_jax.storage.atomic import write_text

FILE = "SHA256SUMS"


def write_checksums(directory: Path) -> None:
    """Write the checksums of all files in the directory."""
    write_text(directory / FILE, _checksums(directory))


def is_finished(directory: Path) -> bool:
    return (directory / FILE).exists()


def find_corruption(directory: Path) -> str | None:
    """Describe the first mismatch in a few words; None if the directory matches its checksums."""
    if not is_finished(directory):
        return "it is incomplete"
    stored = (directory / FILE).read_bytes()
    current = _checksums(directory)
    if stored == current.encode():
        return None
    expected, actual = _lines(stored.decode(errors="replace")), _lines(current)
    for name in sorted(expected.keys() | actual.keys()):
        if name not in actual:
            return f"{name} is missing"
        if expected.get(name) != actual[name]:
            return f"{name} does not match its checksum"
    return f"{FILE} is corrupted"


def _checksums(directory: Path) -> str:
    """Return a line with SHA-256 and path for each file below the directory, except the list."""
    paths = {
        path.relative_to(directory).as_posix(): path
        for path in directory.rglob("*")
        if path.is_file() and path != directory / FILE
    }
    digests = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items()}
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))


def _lines(checksums: str) -> dict[str, str]:
    """Index the lines by path."""
    return {line[66:]: line for line in checksums.splitlines()}
