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
from gcgan_jax.evaluation.cache import Cache
from gcgan_jax.evaluation.networks.inception import from_torch
from gcgan_jax.evaluation.networks.torch_file import read_torch
from gcgan_jax.regular_files import open_regular
from gcgan_jax.runtime.console import report
from gcgan_jax.runtime.progress import progress
from gcgan_jax.storage.trees import from_bytes, sha256

CLASSIFIER = "classifier.safetensors"
MIB = 2**20
SHOWN = 12  # digits of a SHA-256 in messages


@dataclass(frozen=True)
class Published:
    """A published file of weights, and the conversion of its tensors to variables."""

    url: str
    size: int
    sha256: str
    convert: Callable[[dict[str, np.ndarray]], dict[str, Any]]

    @property
    def name(self) -> str:
        return Path(self.url).name

    def find_difference(self, content: bytes) -> str | None:
        """Say in a few words why the content is not the published one; None if it is.

        Args:
            content: the file's content; of a longer file, one byte more than `size`.
        """
        if len(content) > self.size:
            return f"it is longer than {self.size} bytes"
        if len(content) < self.size:
            return f"it has {len(content)} bytes, not {self.size}"
        digest = sha256(content)
        if digest != self.sha256:
            return f"its SHA-256 is {digest[:SHOWN]}…, not {self.sha256[:SHOWN]}…"
        return None


INCEPTION = Published(
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    "weights-inception-2015-12-05-6726825d.pth",
    95_628_359,
    "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    from_torch,
)


def load_classifier() -> tuple[VariableDict, str]:
    """Load the variables of the bundled classifier, and the SHA-256 of their file."""
    data = (resources.files(__package__) / CLASSIFIER).read_bytes()
    return from_bytes(data), sha256(data)


def load_inception(
    path: str | None,
    cache: Cache,
    published: Published = INCEPTION,
    urlopen: Callable[..., Any] = urllib.request.urlopen,
) -> tuple[VariableDict, str]:
    """Load the variables of `Inception`, and the SHA-256 of the published file of weights.

    Args:
        path: the published file; None: download it unless it is in `cache`.
        published: where to download the weights, and how to verify and convert them.
        urlopen: function that opens a URL.

    Raises:
        UserError: the download fails, or the file is not the published one.
    """
    content = _read(Path(path), published) if path else _load_or_download(published, cache, urlopen)
    return published.convert(read_torch(content, published.name)), published.sha256


def _read(path: Path, published: Published) -> bytes:
    try:
        with open_regular(path) as file:
            content = file.read(published.size + 1)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        raise UserError(
            f"config.eval.inception_weights = {str(path)!r}: "
            f"{'no such file' if missing else error.strerror}; set it to a copy of "
            f"{published.name}, or leave it out to download one"
        ) from None
    difference = published.find_difference(content)
    if difference:
        raise UserError(
            f"{path} is not the published {published.name} ({difference}): download it again from "
            f"{published.url}"
        )
    return content


def _load_or_download(published: Published, cache: Cache, urlopen: Callable[..., Any]) -> bytes:
    content = cache.load(published.name, published.size)
    if content is not None and published.find_difference(content) is None:
        return content
    content = _download(published, cache, urlopen)
    difference = published.find_difference(content)
    if difference:
        raise UserError(
            f"{published.url} is not the published file ({difference}): try again later, or set "
            f"--config.eval.inception_weights=PATH to a copy of {published.name}"
        )
    cache.store(published.name, content)
    return content


def _download(published: Published, cache: Cache, urlopen: Callable[..., Any]) -> bytes:
    report(f"downloading {published.url}")
    try:
        with urlopen(published.url, timeout=30) as response:
            return _receive(response, published.size + 1)
    except (OSError, HTTPException) as error:
        raise UserError(
            f"Inception's weights are not in {cache.directory} and cannot be downloaded ({error}): "
            f"set --config.eval.inception_weights=PATH to a copy of {published.name}, or use the "
            "bundled classifier with --config.eval.network=classifier"
        ) from None


def _receive(response: Any, limit: int) -> bytes:
    """Return the first `limit` bytes of a response.

    Raises:
        ConnectionError: the connection was closed before.
    """
    length = response.headers.get("Content-Length") or ""
    total, received = int(length) if length.isdecimal() else 0, bytearray()
    chunks = iter(lambda: response.read(min(MIB, limit - len(received))), b"")
    for chunk in progress(chunks, total / MIB or None, "MiB", lambda chunk: len(chunk) / MIB):
        received += chunk
    if len(received) < min(total, limit):
        raise ConnectionError(f"connection closed after {len(received)} of {total} bytes")
    return bytes(received)
