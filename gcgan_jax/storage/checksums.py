"""Checksums of all files in a directory, written last: a directory that has them is complete.

They are in the format of coreutils, so `sha256sum -c SHA256SUMS` verifies a directory too.
"""

import hashlib
from pathlib import Path

from gcgan_jax.storage.atomic import write_text

FILE = "SHA256SUMS"


def write_checksums(directory: Path) -> None:
    """Lists all files that are in the directory now."""
    write_text(directory / FILE, _checksums(directory))


def is_finished(directory: Path) -> bool:
    return (directory / FILE).exists()


def find_corruption(directory: Path) -> str | None:
    """What is wrong with the directory, in a few words; None if it matches its checksums."""
    if not is_finished(directory):
        return "it is incomplete"
    stored = (directory / FILE).read_bytes()
    current = _checksums(directory)
    if stored == current.encode():
        return None
    listed, found = _lines(stored.decode(errors="replace")), _lines(current)
    for name in sorted(listed.keys() | found.keys()):
        if name not in found:
            return f"{name} is missing"
        if listed.get(name) != found[name]:
            return f"{name} does not match its checksum"
    return f"{FILE} is corrupted"


def _checksums(directory: Path) -> str:
    """A line for every file below the directory but the list itself: SHA-256 and path."""
    paths = {
        path.relative_to(directory).as_posix(): path
        for path in directory.rglob("*")
        if path.is_file() and path != directory / FILE
    }
    digests = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items()}
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))


def _lines(checksums: str) -> dict[str, str]:
    """Each line by the path in it."""
    return {line[66:]: line for line in checksums.splitlines()}
