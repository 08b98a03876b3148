"""Paths in flags and fields: on this machine, with home directories expanded."""

from pathlib import Path

import pytest

from gcgan_jax.errors import UserError
from gcgan_jax.paths import local_path


@pytest.mark.parametrize(
    "text",
    ["", "gs://b/run", "S3://b", "http://h", "file:///tmp", "a\0b", "a\nb", "a\x1b[2J", "\x85",
     "\u2028", "\udcff", "x" * 256, "a/" * 3000, "~no-such-user-here/x"],
)  # fmt: skip
def test_other_paths_are_rejected(text: str) -> None:
    with pytest.raises(UserError, match=r"^--workdir = ") as error:
        local_path(text, "--workdir")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text", ["runs/ecc", "run[lr=1]", "a b", "gr\u00f6\u00dfe", "/x:/y", "./~a"]
)
def test_paths_on_this_machine_stay(text: str) -> None:
    assert local_path(text, "--workdir") == Path(text)


def test_home_directories_are_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert local_path("~/run", "--workdir") == tmp_path / "run"
    assert local_path("~root", "--workdir") == Path("~root").expanduser()


def test_home_must_be_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "nowhere")
    with pytest.raises(UserError, match="there is no home directory ~; write"):
        local_path("~/run", "--workdir")
