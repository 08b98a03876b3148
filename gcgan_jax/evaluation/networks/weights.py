"""Weights as safetensors files: the classifier's in this package, Inception's fetched and kept."""

import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from flax.typing import VariableDict

from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.cache import load_cached, store_cached
from gcgan_jax.evaluation.networks.inception import from_torch
from gcgan_jax.evaluation.networks.torch_file import read_torch
from gcgan_jax.runtime.console import report
from gcgan_jax.runtime.progress import progress
from gcgan_jax.storage.atomic import write_atomically
from gcgan_jax.storage.trees import from_bytes, sha256

CLASSIFIER = "classifier.safetensors"
MIB = 2**20


@dataclass(frozen=True)
class Published:
    """A published file of weights, and how its tensors become variables of a network."""

    url: str
    sha256_prefix: str
    convert: Callable[[dict[str, np.ndarray]], dict[str, Any]]

    @property
    def name(self) -> str:
        return Path(self.url).name


INCEPTION = Published(
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    "weights-inception-2015-12-05-6726825d.pth",
    "6726825d",
    from_torch,
)


def load_classifier() -> tuple[VariableDict, str]:
    """Variables of the classifier in this package, and the SHA-256 of its file."""
    stored = (resources.files(__package__) / CLASSIFIER).read_bytes()
    return from_bytes(stored), sha256(stored)


def load_inception(
    path: str | None,
    cache: Path,
    published: Published = INCEPTION,
    urlopen: Callable[..., Any] = urllib.request.urlopen,
) -> tuple[VariableDict, str]:
    """Variables of `Inception` and the SHA-256 of the published weights they were made from.

    Args:
        path: the published file; None: fetched, unless `cache` has it already.
        cache: directory for the converted weights of the fetched file.
        urlopen: opens the URL of the published file.

    Raises:
        UserError: no network, or the file is not the published one.
    """
    source = Path(path).expanduser() if path else cache / published.name
    if not path:
        kept = load_cached(cache, source.stem)
        if kept:
            return kept, bytes(kept.pop("origin")["sha256"]).hex()
        _fetch(published.url, source, urlopen)
    elif not source.is_file():
        raise UserError(f"config.eval.inception_weights = {path!r}: no such file")
    digest = _require_published(published, source)
    variables = published.convert(read_torch(source))
    if not path:
        origin = {"sha256": np.frombuffer(bytes.fromhex(digest), np.uint8)}
        store_cached(cache, source.stem, variables | {"origin": origin})
        source.unlink()
    return variables, digest


def _require_published(published: Published, path: Path) -> str:
    digest = sha256(path.read_bytes())
    if not digest.startswith(published.sha256_prefix):
        raise UserError(
            f"{path} is not the published {published.name}: its SHA-256 begins {digest[:8]}, "
            f"not {published.sha256_prefix}"
        )
    return digest


def _fetch(url: str, path: Path, urlopen: Callable[..., Any]) -> None:
    report(f"fetching {url}")
    try:
        with urlopen(url, timeout=30) as response:
            write_atomically(path, lambda file: _copy(response, file))
    except (urllib.error.URLError, HTTPException, ConnectionError, TimeoutError) as error:
        raise UserError(
            f"no Inception weights in {path.parent} and no network to fetch them ({error}): name a "
            f"copy of {path.name} with --config.eval.inception_weights=PATH, or score with the "
            "network that comes along, --config.eval.network=classifier"
        ) from None


def _copy(response: Any, file: Any) -> None:
    total, done = int(response.headers.get("Content-Length") or 0), 0
    parts = iter(lambda: response.read(MIB), b"")
    for part in progress(parts, total / MIB or None, "MiB", lambda part: len(part) / MIB):
        done += file.write(part)
    if total and done < total:
        raise ConnectionError(f"cut off after {done} of {total} bytes")
