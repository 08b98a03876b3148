"""Serialisation of nested dicts of arrays to safetensors, with slash-separated paths."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict
from safetensors.numpy import load, save


def to_bytes(tree: Mapping[str, Any]) -> bytes:
    return save({path: np.asarray(leaf) for path, leaf in flatten_dict(tree, sep="/").items()})


def from_bytes(stored: bytes) -> dict[str, Any]:
    return unflatten_dict(load(stored), sep="/")


def sha256(stored: bytes | memoryview) -> str:
    return hashlib.sha256(stored).hexdigest()
