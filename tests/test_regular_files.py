"""Only regular files are read, and nothing waits for the others."""

import os
import socket
from pathlib import Path

import pytest

from gcgan_jax.errors import UserError
from gcgan_jax.regular_files import open_append, read_regular


def test_files_and_links_to_them_are_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "file") == read_regular(tmp_path / "link") == b"content"
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "missing")


def test_all_else_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    (tmp_path / "directory").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        kinds = {"pipe": "pipe", "link": "pipe"} | {k: k for k in ("device", "directory", "socket")}
        for name, kind in kinds.items():
            with pytest.raises(UserError, match=f"{name} is a {kind}, not a file: remove or"):
                read_regular(tmp_path / name)


def test_files_are_appended_to_but_not_through_links(tmp_path: Path) -> None:
    for content in (b"a", b"b"):
        with open_append(tmp_path / "file") as file:
            file.write(content)
    assert read_regular(tmp_path / "file") == b"ab"
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "dangling").symlink_to("missing")
    os.mkfifo(tmp_path / "pipe")
    for name, kind in {"link": "link", "dangling": "link", "pipe": "pipe"}.items():
        with pytest.raises(UserError, match=f"{name} is a {kind}, not a file"):
            open_append(tmp_path / name)
    assert not (tmp_path / "missing").exists()
