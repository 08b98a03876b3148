"""Inception's weights: only the published ones are taken, and fetched once."""

import io
import urllib.error
import urllib.request
from email.message import Message
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gcgan_jax.errors import UserError
from gcgan_jax.evaluation import weights
from gcgan_jax.evaluation.weights import load_inception

STORED = Path(__file__).with_name("zip.pth").read_bytes()


class Response(io.BytesIO):
    """A server's answer, which says how long it is."""

    def __init__(self, stored: bytes, length: int) -> None:
        super().__init__(stored)
        self.headers = Message()
        self.headers["Content-Length"] = str(length)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> str:
    """A small file takes the place of the published one."""
    digest = weights.sha256(STORED)
    monkeypatch.setattr(weights, "SHA256_PREFIX", digest[:8])
    monkeypatch.setattr(weights, "from_torch", lambda found: {"params": {"w": found["weight"]}})
    return digest


def test_fetched_once_and_kept(
    published: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = []

    def answer(url: str, timeout: float) -> Response:
        fetched.append(url)
        return Response(STORED, len(STORED))

    monkeypatch.setattr(urllib.request, "urlopen", answer)
    first, digest = load_inception("", tmp_path)
    again, kept_digest = load_inception("", tmp_path)
    assert fetched == [weights.URL]
    assert digest == kept_digest == published
    np.testing.assert_array_equal(first["params"]["w"], again["params"]["w"])
    assert again.keys() == {"params"}
    assert [path.suffix for path in tmp_path.iterdir()] == [".safetensors"]


def test_a_local_file(published: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.pth"
    path.write_bytes(STORED)
    assert load_inception(str(path), tmp_path / "cache")[1] == published
    assert not (tmp_path / "cache").exists()


def no_network(url: str, timeout: float) -> Any:
    raise urllib.error.URLError("no route")


def test_no_network_names_all_remedies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urllib.request, "urlopen", no_network)
    with pytest.raises(UserError) as told:
        load_inception("", tmp_path)
    for remedy in (
        "--config.eval.inception_weights=PATH",
        "--config.eval.network=classifier",
        "no network",
    ):
        assert remedy in str(told.value)


@pytest.mark.parametrize(
    ("stored", "length", "told"),
    [(STORED, 2 * len(STORED), "cut off"), (STORED + b"x", 0, "SHA-256 begins")],
)
def test_a_wrong_answer_leaves_nothing_to_use(
    stored: bytes,
    length: int,
    told: str,
    published: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: Response(stored, length))
    with pytest.raises(UserError, match=told):
        load_inception("", tmp_path)
    assert not list(tmp_path.glob("*.safetensors"))


def test_other_local_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    path.write_bytes(STORED)
    with pytest.raises(UserError, match=r"other\.pth is not the published .* SHA-256 begins"):
        load_inception(str(path), tmp_path)
    with pytest.raises(UserError, match=r"inception_weights = '/absent\.pth': no such file"):
        load_inception("/absent.pth", tmp_path)
