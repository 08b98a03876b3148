"""A list of a directory's files with their checksums, written last: what has it is whole.

{"format": 1, "files": {"default/manifest.ocdbt": "9f86d08…", …}, "own": that of the list itself}
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from gcgan_jax.errors import UserError
from gcgan_jax.files import write_text

FILE = "checksums.json"
FORMAT = 1  # of the files that are listed; another for every change of what they hold


def write_manifest(directory: Path) -> None:
    """Lists all files that are in the directory now."""
    listed = {"format": FORMAT, "files": _checksums(directory)}
    write_text(directory / FILE, json.dumps(listed | {"own": _own(listed)}, indent=1))


def is_finished(directory: Path) -> bool:
    return (directory / FILE).exists()


def find_damage(directory: Path) -> str | None:
    """What is wrong with the directory, in a few words; None if it is as it was listed.

    Raises:
        UserError: it is of another format, which is no damage.
    """
    if not is_finished(directory):
        return "it was not finished"
    try:
        manifest = json.loads((directory / FILE).read_text())
        whole = manifest.pop("own") == _own(manifest)
    except (ValueError, TypeError, KeyError, AttributeError):
        whole = False
    if not whole:
        return f"{FILE} is not as it was written"
    if manifest["format"] != FORMAT:
        raise UserError(
            f"{directory} is of format {manifest['format']}, this program reads {FORMAT}: use the "
            "version of gcgan_jax that wrote it, or another --workdir"
        )
    listed, found = manifest["files"], _checksums(directory)
    for name in sorted(listed.keys() | found.keys()):
        if name not in found:
            return f"{name} is missing"
        if listed.get(name) != found[name]:
            return f"{name} is not as it was written"
    return None


def _own(listed: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()


def _checksums(directory: Path) -> dict[str, str]:
    """SHA-256 of every file below, but the list itself, by path."""
    files = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path != directory / FILE
    }
