"""The user's key: created once, kept secret, and trusted only if it is."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gcgan_jax.errors import UserError
from gcgan_jax.runtime.user_key import sign, user_key
from tests.program import ROOT


def test_key_is_created_once_and_readable_by_its_user_alone(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b"
    key = user_key(str(directory))
    assert len(key) == 32 and user_key(str(directory)) == key != user_key(str(tmp_path))
    assert [path.name for path in directory.iterdir()] == ["key"]
    assert (directory / "key").stat().st_mode & 0o777 == 0o600


def test_processes_that_start_together_get_the_same_key(tmp_path: Path) -> None:
    code = (
        "import sys; from gcgan_jax.runtime.user_key import *; print(user_key(sys.argv[1]).hex())"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    processes = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(8)]
    assert len({process.communicate()[0] for process in processes}) == 1


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.write_bytes(b""), "is no key: remove it"),
        (lambda path: path.write_bytes(bytes(33)), "is no key: remove it"),
        (lambda path: (path.write_bytes(bytes(32)), path.chmod(0o644)), "is open to others"),
        (os.mkfifo, "is a pipe, not a file"),
        (lambda path: path.symlink_to("/dev/zero"), "is a device, not a file"),
    ],
)
def test_other_files_are_no_keys(
    make: Callable[[Path], object], reason: str, tmp_path: Path
) -> None:
    before = os.umask(0o077)
    try:
        make(tmp_path / "key")
    finally:
        os.umask(before)
    with pytest.raises(UserError, match=f"key {reason}"):
        user_key(str(tmp_path))


def test_missing_home_is_a_reason() -> None:
    with pytest.raises(UserError, match="the home directory is unknown"):
        user_key("~no-such-user/cache")


def test_signatures_depend_on_key_and_parts() -> None:
    signatures = {
        sign(key, *parts)
        for key in (b"a", b"b")
        for parts in ((b"", b"xy"), (b"x", b"y"), (b"xy",), (b"xy", b""))
    }
    assert len(signatures) == 8
