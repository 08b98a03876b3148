"""The stored config of a run, and directories to write results to."""

import os
from pathlib import Path

import pytest

from gcgan_jax.errors import UserError
from gcgan_jax.storage.workdir import read_settings, require_output, write_settings


def test_settings_are_read_as_written(tmp_path: Path) -> None:
    settings = {"seed": 3, "critic": {"widths": [4, 6, 8]}, "note": "Fréchet"}
    write_settings(tmp_path, settings)
    assert read_settings(tmp_path) == settings


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Expecting value"),
        (b"\xff\xfe{}", "can't decode byte 0xff"),
        (b"\0" * 100, "Expecting value"),
        (b"[1]", "expected an object, found list"),
        (b"null", "expected an object, found NoneType"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 30 + b"1" + b"}" * 30, "nested too deeply"),
        (b'{"a": ' + b"1" * 5000 + b"}", "4300 digits"),
        (b" " * 2**21, "larger than 1048576 bytes"),
    ],
)
def test_corrupted_settings_are_one_line(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(UserError, match=rf"config\.json is corrupted \(.*{message}.*\): restore"):
        read_settings(tmp_path)


def test_only_a_file_can_hold_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    os.mkfifo(path)
    with pytest.raises(UserError, match="is a pipe"):
        read_settings(tmp_path)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(UserError, match="is a device"):
        read_settings(tmp_path)


def test_directories_that_results_can_be_written_to(tmp_path: Path) -> None:
    run = tmp_path / "run"
    write_settings(run, {})
    (tmp_path / "link").symlink_to(run)
    for out in (tmp_path, tmp_path / "new" / "below", run, tmp_path / "link"):
        require_output(out, run)
    assert not (tmp_path / "new").exists()


def test_places_that_results_cannot_be_written_to(tmp_path: Path) -> None:
    run, other = tmp_path / "run", tmp_path / "other"
    for workdir in (run, other):
        write_settings(workdir, {})
    (tmp_path / "file").write_text("mine")
    (tmp_path / "dangling").symlink_to("nowhere")
    for out, message in {
        tmp_path / "file": "Not a directory",
        tmp_path / "file" / "below": "Not a directory",
        tmp_path / "dangling": "No such file or directory",
        tmp_path / ("x" * 300): "File name too long",
        Path("/dev/null"): "Not a directory",
        Path("/proc/new"): "",
        other: "is the workdir of another run",
    }.items():
        with pytest.raises(UserError, match=f"^--out={out}.*{message}.*choose another --out"):
            require_output(out, run)
