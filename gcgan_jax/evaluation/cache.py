"""Trees of arrays that are cached between runs.

The name of a cached file carries a digest of its content: a corrupted file is computed again.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gcgan_jax.storage.atomic import write_atomically
from gcgan_jax.storage.trees import from_bytes, sha256, to_bytes


def store_cached(cache: Path, name: str, tree: Mapping[str, Any]) -> None:
    """Writes the tree in place of what was kept under that name."""
    stored = to_bytes(tree)
    path = cache / f"{name}.{sha256(stored)[:16]}.safetensors"
    write_atomically(path, lambda file: file.write(stored))
    for other in cache.glob(f"{name}.*.safetensors"):
        if other != path:
            other.unlink()


def load_cached(cache: Path, name: str) -> dict[str, Any] | None:
    """The tree kept under that name; None if there is none, or a damaged one."""
    for path in cache.glob(f"{name}.*.safetensors"):
        stored = path.read_bytes()
        if path.suffixes[-2] == f".{sha256(stored)[:16]}":
            return from_bytes(stored)
    return None
