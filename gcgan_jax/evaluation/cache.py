"""Trees of arrays as safetensors files, and those kept in a cache between runs.

The name of a kept file carries its own digest: what was damaged on disk is made anew, not used.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict
from safetensors.numpy import load, save

from gcgan_jax.storage.atomic import write_atomically


def to_bytes(tree: Mapping[str, Any]) -> bytes:
    """A tree of arrays as a safetensors file, its paths joined by slashes."""
    return save({path: np.asarray(leaf) for path, leaf in flatten_dict(tree, sep="/").items()})


def from_bytes(stored: bytes) -> dict[str, Any]:
    return unflatten_dict(load(stored), sep="/")


def sha256(stored: bytes) -> str:
    return hashlib.sha256(stored).hexdigest()


def keep(cache: Path, name: str, tree: Mapping[str, Any]) -> None:
    """Writes the tree in place of what was kept under that name."""
    stored = to_bytes(tree)
    path = cache / f"{name}.{sha256(stored)[:16]}.safetensors"
    write_atomically(path, lambda file: file.write(stored))
    for other in cache.glob(f"{name}.*.safetensors"):
        if other != path:
            other.unlink()


def read_kept(cache: Path, name: str) -> dict[str, Any] | None:
    """The tree kept under that name; None if there is none, or a damaged one."""
    for path in cache.glob(f"{name}.*.safetensors"):
        stored = path.read_bytes()
        if path.suffixes[-2] == f".{sha256(stored)[:16]}":
            return from_bytes(stored)
    return None
