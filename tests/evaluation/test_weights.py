"""Inception's weights: only the published ones are taken, and fetched once."""

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

STORED = Path(__file__).with_name("zip.pth").read_bytes()


class Response(io.BytesIO):
    """A server's answer, which says how long it is."""

    def __init__(self, stored: bytes, length: int) -> None:
        super().__init__(stored)
        self.headers = Message()
        self.headers["Content-Length"] = str(length)


def convert(tensors: dict[str, np.ndarray]) -> dict:
    return {"params": {"w": tensors["weight"]}}


DIGEST = hashlib.sha256(STORED).hexdigest()
SMALL = Published("https://example.com/small.pth", DIGEST[:8], convert)


def test_fetched_once_and_kept(tmp_path: Path) -> None:
    fetched = []

    def answer(url: str, timeout: float) -> Response:
        fetched.append(url)
        return Response(STORED, len(STORED))

    first, digest = load_inception("", tmp_path, SMALL, answer)
    again, kept_digest = load_inception("", tmp_path, SMALL, answer)
    assert fetched == [SMALL.url]
    assert digest == kept_digest == DIGEST
    np.testing.assert_array_equal(first["params"]["w"], again["params"]["w"])
    assert again.keys() == {"params"}
    assert [path.suffix for path in tmp_path.iterdir()] == [".safetensors"]


def test_a_local_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.pth"
    path.write_bytes(STORED)
    assert load_inception(str(path), tmp_path / "cache", SMALL)[1] == DIGEST
    assert not (tmp_path / "cache").exists()


def no_network(url: str, timeout: float) -> NoReturn:
    raise urllib.error.URLError("no route")


def test_no_network_names_all_remedies(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        load_inception("", tmp_path, urlopen=no_network)
    for remedy in (
        "--config.eval.inception_weights=PATH",
        "--config.eval.network=classifier",
        "no network",
    ):
        assert remedy in str(error.value)


@pytest.mark.parametrize(
    ("stored", "length", "message"),
    [(STORED, 2 * len(STORED), "cut off"), (STORED + b"x", 0, "SHA-256 begins")],
)
def test_a_wrong_answer_leaves_nothing_to_use(
    stored: bytes, length: int, message: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        load_inception("", tmp_path, SMALL, lambda *_, **__: Response(stored, length))
    assert not list(tmp_path.glob("*.safetensors"))


def test_other_local_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    path.write_bytes(STORED)
    with pytest.raises(UserError, match=r"other\.pth is not the published .* SHA-256 begins"):
        load_inception(str(path), tmp_path)
    with pytest.raises(UserError, match=r"inception_weights = '/absent\.pth': no such file"):
        load_inception("/absent.pth", tmp_path)
