"""A cache of array trees on disk, shared by runs.

Each file name contains a digest of the content, so that corrupted files are recomputed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gcgan_jax.storage.atomic import write_atomically
from gcgan_jax.storage.trees import from_bytes, sha256, to_bytes


def store_cached(cache: Path, name: str, tree: Mapping[str, Any]) -> None:
    """Write a tree to the cache, replacing any previous one with the same name."""
    data = to_bytes(tree)
    path = cache / f"{name}.{sha256(data)[:16]}.safetensors"
    write_atomically(path, lambda file: file.write(data))
    for previous in cache.glob(f"{name}.*.safetensors"):
        if previous != path:
            previous.unlink()


def load_cached(cache: Path, name: str) -> dict[str, Any] | None:
    """Return the cached tree with this name; None if it is missing or corrupted."""
    for path in cache.glob(f"{name}.*.safetensors"):
        data = path.read_bytes()
        if path.suffixes[-2] == f".{sha256(data)[:16]}":
            return from_bytes(data)
    return None
