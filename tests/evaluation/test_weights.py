"""Inception's weights: only the published file is accepted, and it is downloaded once."""

import hashlib
import io
import os
import urllib.error
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.cache import Cache
from gcgan_jax.evaluation.networks.weights import INCEPTION, Published, load_inception

CONTENT = Path(__file__).with_name("zip.pth").read_bytes()


class Response(io.BytesIO):
    """A server's response with a Content-Length."""

    def __init__(self, content: bytes, length: int) -> None:
        super().__init__(content)
        self.headers = Message()
        self.headers["Content-Length"] = str(length)


def convert(tensors: dict[str, np.ndarray]) -> dict:
    return {"params": {"w": tensors["weight"]}}


DIGEST = hashlib.sha256(CONTENT).hexdigest()
SMALL = Published("https://example.com/small.pth", len(CONTENT), DIGEST, convert)


@dataclass
class Server:
    """Answers each request with the same response, and counts them."""

    content: bytes = CONTENT
    length: int = len(CONTENT)
    requests: int = 0

    def __call__(self, url: str, timeout: float) -> Response:
        self.requests += 1
        return Response(self.content, self.length)


def test_weights_are_downloaded_once_and_verified_at_each_load(tmp_path: Path) -> None:
    server = Server()
    variables, digest = load_inception(None, Cache(tmp_path), SMALL, server)
    cached, cached_digest = load_inception(None, Cache(tmp_path), SMALL, server)
    assert server.requests == 1
    assert digest == cached_digest == DIGEST
    np.testing.assert_array_equal(variables["params"]["w"], cached["params"]["w"])
    assert [path.name for path in tmp_path.iterdir()] == ["small.pth"]
    for damaged in (CONTENT[:-1], CONTENT[:-1] + b"x", CONTENT + b"x"):
        (tmp_path / "small.pth").write_bytes(damaged)
        load_inception(None, Cache(tmp_path), SMALL, server)
        assert (tmp_path / "small.pth").read_bytes() == CONTENT
    assert server.requests == 4


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_text(""),
        lambda path: path.mkdir() or (path / "small.pth").mkdir(),
        lambda path: path.symlink_to("/dev/full"),
        lambda path: path.symlink_to("/proc"),
    ],
)
def test_weights_are_used_without_a_cache(
    make: Callable[[Path], object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path / "cache")
    assert load_inception(None, Cache(tmp_path / "cache"), SMALL, Server())[1] == DIGEST
    downloading, unused = capsys.readouterr().out.splitlines()
    assert downloading == "downloading https://example.com/small.pth"
    assert "cannot be cached" in unused and "workdir" not in unused


def test_pipe_in_the_cache_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "small.pth")
    assert load_inception(None, Cache(tmp_path), SMALL, Server())[1] == DIGEST
    assert (tmp_path / "small.pth").read_bytes() == CONTENT


def test_local_file_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "mine.pth"
    path.write_bytes(CONTENT)
    assert load_inception(str(path), Cache(tmp_path / "cache"), SMALL)[1] == DIGEST
    assert not (tmp_path / "cache").exists()


def no_network(url: str, timeout: float) -> NoReturn:
    raise urllib.error.URLError("no route")


def test_missing_network_error_names_all_remedies(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        load_inception(None, Cache(tmp_path), urlopen=no_network)
    for part in (
        "cannot be downloaded",
        "--config.eval.inception_weights=PATH",
        "--config.eval.network=classifier",
    ):
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("content", "length", "message"),
    [
        (CONTENT[:-9], len(CONTENT), "connection closed after"),
        (CONTENT[:-1], 0, f"it has {len(CONTENT) - 1} bytes, not {len(CONTENT)}"),
        (CONTENT[:-1] + b"x", 0, r"its SHA-256 is [0-9a-f]{12}…, not [0-9a-f]{12}…"),
        (CONTENT + bytes(10**6), 0, f"is longer than {len(CONTENT)} bytes"),
    ],
)
def test_invalid_downloads_are_rejected_and_not_cached(
    content: bytes, length: int, message: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        load_inception(None, Cache(tmp_path), SMALL, Server(content, length))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("other.pth", r"other\.pth is not the published .* \(it has 3 bytes, not 95628359\)"),
        ("/absent.pth", r"inception_weights = '/absent\.pth': no such file"),
        ("other.pth/below", "no such file"),
        ("/dev/zero", "/dev/zero is a device, not a file"),
        ("pipe", "pipe is a pipe, not a file"),
        (".", "is a directory, not a file"),
    ],
)
def test_other_local_files_are_rejected(path: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "other.pth").write_text("abc")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match=message):
        load_inception(str(tmp_path / path), Cache(tmp_path))


def test_published_digest_is_pinned_whole() -> None:
    assert len(INCEPTION.sha256) == 64 and INCEPTION.name.endswith(f"{INCEPTION.sha256[:8]}.pth")
