"""Atomic writes of files and folders, and what killed writers leave behind."""

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import pytest

from gcgan_jax.errors import UserError
from gcgan_jax.storage.atomic import (
    OLD_PARTS,
    PART,
    remove_leftovers,
    write_atomically,
    write_folder,
    write_text,
)
from tests.program import ROOT

WRITE = """
import sys
from pathlib import Path
from gcgan_jax.storage.atomic import write_atomically, write_folder

def wait(_):
    print("writing", flush=True)
    sys.stdin.read()

write = {"file": write_atomically, "folder": write_folder}[sys.argv[1]]
write(Path(sys.argv[2]), wait)
"""


def start_writing(kind: str, path: Path) -> subprocess.Popen[str]:
    """Start a process that has written a part of a file or folder, until its input is closed."""
    command = [sys.executable, "-c", WRITE, kind, str(path)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
    assert process.stdout.readline() == "writing\n"
    return process


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_only_leftovers_of_killed_writers_are_removed(kind: str, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    path = tmp_path / "run" / "target"
    with start_writing(kind, path) as killed:
        killed.send_signal(signal.SIGKILL)
    with start_writing(kind, path) as running:
        assert len(list(path.parent.glob(PART))) == 2
        remove_leftovers(tmp_path)
        assert len(list(path.parent.glob(PART))) == 1
        running.communicate("")
    assert running.returncode == 0
    assert list(path.parent.iterdir()) == [path]


def test_leftovers_of_earlier_versions_are_removed_but_no_other_files(tmp_path: Path) -> None:
    old = ["config.json.part", "metrics.jsonl.part", "samples-0000002.npz.part", "SHA256SUMS.part"]
    others = ["film.part", ".hidden.part", "part", "x.gcgan.part"]
    for name in old + others:
        (tmp_path / name).write_text("")
    (tmp_path / "samples-0000002-ema.part").mkdir()
    (tmp_path / "samples-0000002-ema.part" / "00000.png").write_text("")
    (tmp_path / "link.json.part").symlink_to(tmp_path / "film.part")
    os.mkfifo(tmp_path / "pipe.json.part")
    remove_leftovers(tmp_path)
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {*others, "link.json.part", "pipe.json.part"}
    assert len(OLD_PARTS) == 9


def test_leftovers_are_not_looked_for_behind_links(tmp_path: Path) -> None:
    for name in ("run", "elsewhere"):
        (tmp_path / name).mkdir()
    outside = tmp_path / "elsewhere" / "config.json.part"
    outside.write_text("")
    (tmp_path / "run" / "samples").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "run" / "samples-0000002.part").symlink_to(tmp_path / "elsewhere")
    remove_leftovers(tmp_path / "run")
    assert outside.exists()


def test_a_link_is_replaced_and_its_target_untouched(tmp_path: Path) -> None:
    target, path = tmp_path / "target", tmp_path / "path"
    target.write_text("precious")
    for old in (path, tmp_path / "path.part"):
        old.symlink_to(target)
    write_text(path, "new")
    assert (path.read_text(), path.is_symlink()) == ("new", False)
    assert target.read_text() == "precious"


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "file", "")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_long_names_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    write_text(path, "text")
    assert list(tmp_path.iterdir()) == [path]


def test_only_the_last_directory_is_created(tmp_path: Path) -> None:
    write_text(tmp_path / "samples" / "file", "")
    with pytest.raises(FileNotFoundError):
        write_text(tmp_path / "moved" / "samples" / "file", "")
    assert [path.name for path in tmp_path.iterdir()] == ["samples"]


def test_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    def fail(file: BinaryIO) -> None:
        file.write(b"n")
        raise OSError(errno.ENOSPC, "No space left")

    path = tmp_path / "file"
    write_atomically(path, lambda file: file.write(b"old"))
    with pytest.raises(OSError, match="No space left") as error:
        write_atomically(path, fail)
    assert error.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("write", [write_atomically, write_folder])
def test_errors_name_the_target(write, tmp_path: Path) -> None:
    path = tmp_path / "directory"
    (path / "file").mkdir(parents=True)
    target = path / "file" if write is write_atomically else path / "x" / "y" / "z"
    with pytest.raises(OSError) as error:
        write(target, lambda _: None)
    assert error.value.filename in (str(target), str(target.parent))
    assert not list(path.rglob(PART))


def test_folder_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "pictures" / "folder"
    for name in ("first", "second"):
        write_folder(folder, lambda part, name=name: write_text(part / name, name))
        assert [path.name for path in folder.parent.rglob("*")] == ["folder", name]


def test_failure_keeps_the_old_folder(tmp_path: Path) -> None:
    def fail(part: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left", str(part / "image"))

    folder = tmp_path / "folder"
    write_folder(folder, lambda part: write_text(part / "old", ""))
    with pytest.raises(OSError, match="No space left") as error:
        write_folder(folder, fail)
    assert error.value.filename == str(folder / "image")
    assert sorted(tmp_path.rglob("*")) == [folder, folder / "old"]


@pytest.mark.parametrize("kind", ["link", "file"])
def test_what_is_no_folder_is_not_replaced_by_one(kind: str, tmp_path: Path) -> None:
    folder, other = tmp_path / "folder", tmp_path / "other"
    write_folder(other, lambda part: write_text(part / "precious", ""))
    folder.write_text("") if kind == "file" else folder.symlink_to(other)
    with pytest.raises(UserError, match=f"folder is a {kind}, not a folder of images"):
        write_folder(folder, lambda part: None)
    assert folder.exists() and (other / "precious").exists()
