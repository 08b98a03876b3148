"""A list of a directory's files with their checksums, written last: what has it is whole."""

import hashlib
import json
from pathlib import Path

from gcgan_jax.files import write_atomically

FILE = "checksums.json"


def write_manifest(directory: Path) -> None:
    """Lists all files that are in the directory now."""
    text = json.dumps(_checksums(directory), indent=1)
    write_atomically(directory / FILE, lambda file: file.write(text.encode()))


def is_finished(directory: Path) -> bool:
    return (directory / FILE).exists()


def find_damage(directory: Path) -> str | None:
    """What is wrong with the directory, in a few words; None if it is as it was listed."""
    if not is_finished(directory):
        return "it was not finished"
    try:
        listed = json.loads((directory / FILE).read_text())
        found = _checksums(directory)
    except ValueError:
        return f"{FILE} is damaged"
    if not isinstance(listed, dict):
        return f"{FILE} is damaged"
    for name in sorted(listed.keys() | found.keys()):
        if name not in found:
            return f"{name} is missing"
        if listed.get(name) != found[name]:
            return f"{name} is not as it was written"
    return None


def _checksums(directory: Path) -> dict[str, str]:
    """SHA-256 of every file below, but the list itself, by path."""
    files = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path != directory / FILE
    }
