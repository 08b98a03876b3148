"""Inception's weights: only the published file is accepted, and it is downloaded once."""

import hashlib
import io
import urllib.error
from email.message import Message
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.networks.weights import Published, load_inception

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
SMALL = Published("https://example.com/small.pth", DIGEST[:8], convert)


def test_weights_are_downloaded_once_and_cached(tmp_path: Path) -> None:
    downloaded = []

    def urlopen(url: str, timeout: float) -> Response:
        downloaded.append(url)
        return Response(CONTENT, len(CONTENT))

    variables, digest = load_inception("", tmp_path, SMALL, urlopen)
    cached, cached_digest = load_inception("", tmp_path, SMALL, urlopen)
    assert downloaded == [SMALL.url]
    assert digest == cached_digest == DIGEST
    np.testing.assert_array_equal(variables["params"]["w"], cached["params"]["w"])
    assert cached.keys() == {"params"}
    assert [path.suffix for path in tmp_path.iterdir()] == [".safetensors"]


def test_local_file_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "mine.pth"
    path.write_bytes(CONTENT)
    assert load_inception(str(path), tmp_path / "cache", SMALL)[1] == DIGEST
    assert not (tmp_path / "cache").exists()


def no_network(url: str, timeout: float) -> NoReturn:
    raise urllib.error.URLError("no route")


def test_missing_network_error_names_all_remedies(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        load_inception("", tmp_path, urlopen=no_network)
    for part in (
        "cannot be downloaded",
        "--config.eval.inception_weights=PATH",
        "--config.eval.network=classifier",
    ):
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("content", "length", "message"),
    [
        (CONTENT, 2 * len(CONTENT), "connection closed after"),
        (CONTENT + b"x", 0, "SHA-256 starts with"),
    ],
)
def test_invalid_downloads_are_rejected_and_not_cached(
    content: bytes, length: int, message: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        load_inception("", tmp_path, SMALL, lambda *_, **__: Response(content, length))
    assert not list(tmp_path.glob("*.safetensors"))


def test_other_local_files_are_rejected(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    path.write_bytes(CONTENT)
    with pytest.raises(UserError, match=r"other\.pth is not the published .* SHA-256 starts with"):
        load_inception(str(path), tmp_path)
    with pytest.raises(UserError, match=r"inception_weights = '/absent\.pth': no such file"):
        load_inception("/absent.pth", tmp_path)
