"""Weights of the networks: the classifier's are bundled, Inception's downloaded and cached."""

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
    """A published file of weights, and the conversion of its tensors to variables."""

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
    """Load the variables of the bundled classifier, and the SHA-256 of their file."""
    data = (resources.files(__package__) / CLASSIFIER).read_bytes()
    return from_bytes(data), sha256(data)


def load_inception(
    path: str | None,
    cache: Path,
    published: Published = INCEPTION,
    urlopen: Callable[..., Any] = urllib.request.urlopen,
) -> tuple[VariableDict, str]:
    """Load the variables of `Inception`, and the SHA-256 of the published file of weights.

    Args:
        path: the published file; None: download it unless `cache` has its weights.
        cache: directory for the converted weights of the downloaded file.
        published: where to download the weights, and how to verify and convert them.
        urlopen: function that opens a URL.

    Raises:
        UserError: the download fails, or the file is not the published one.
    """
    source = Path(path) if path else cache / published.name
    if not path:
        cached = load_cached(cache, source.stem)
        if cached:
            return cached, bytes(cached.pop("origin")["sha256"]).hex()
        _download(published.url, source, urlopen)
    elif not source.is_file():
        raise UserError(
            f"config.eval.inception_weights = {path!r}: no such file; set it to a copy of "
            f"{published.name}, or leave it out to download one"
        )
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
            f"{path} is not the published {published.name} (its SHA-256 starts with {digest[:8]}, "
            f"not {published.sha256_prefix}): download it again from {published.url}"
        )
    return digest


def _download(url: str, path: Path, urlopen: Callable[..., Any]) -> None:
    report(f"downloading {url}")
    try:
        with urlopen(url, timeout=30) as response:
            write_atomically(path, lambda file: _copy(response, file))
    except (urllib.error.URLError, HTTPException, ConnectionError, TimeoutError) as error:
        raise UserError(
            f"Inception's weights are not in {path.parent} and cannot be downloaded ({error}): set "
            f"--config.eval.inception_weights=PATH to a copy of {path.name}, or use the bundled "
            "classifier with --config.eval.network=classifier"
        ) from None


def _copy(response: Any, file: Any) -> None:
    total, done = int(response.headers.get("Content-Length") or 0), 0
    chunks = iter(lambda: response.read(MIB), b"")
    for chunk in progress(chunks, total / MIB or None, "MiB", lambda chunk: len(chunk) / MIB):
        done += file.write(chunk)
    if total and done < total:
        raise ConnectionError(f"connection closed after {done} of {total} bytes")
