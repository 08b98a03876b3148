"""JSON lines files: round trip, and lines of others, which are never lost and never fatal."""

import os
from pathlib import Path
from typing import Any

import pytest

from gcgan_jax.errors import UserError
from gcgan_jax.storage.json_lines import (
    LONGEST,
    Lines,
    append_json_lines,
    read_json_lines,
    rewrite_json_lines,
)

FOREIGN = (
    *(b"\xff\xfe", b"\0" * 4096, b"word", b"12", b'"text"', b"null", b'[{"n": 1}]', b"{", b" \t"),
    *(b'{"n": NaN}', b'{"n": -Infinity}', b'{"n": 1, "n": 2}', b'{"n": 1}{"n": 2}', b"\r"),
    *(b"[" * 100_000, b'{"n":' * 100_000, b'{"n": ' + b"1" * 5000 + b"}", b"\xef\xbb\xbf{}"),
    b'{"n": 7, "text": "' + b"x" * LONGEST + b'"}',
    b'{"m": "no n"}',
)


def parse(value: dict[str, Any]) -> int:
    if "n" not in value:
        raise ValueError
    return value["n"]


def read(path: Path) -> Lines[int]:
    return read_json_lines(path, parse, key=lambda n: n)


def write(path: Path, numbers: list[int], rejected: list[bytes]) -> None:
    rewrite_json_lines(path, [{"n": n} for n in numbers], rejected)


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    assert read(path) == Lines([], [])
    append_json_lines(path, [{"n": 1, "note": "Fréchet\n\u2028"}, {"n": 2}])
    append_json_lines(path, [{"n": 3}])
    assert read(path) == Lines([1, 2, 3], [])
    write(path, [3, 4], [])
    assert path.read_text() == '{"n": 3}\n{"n": 4}\n'
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("line", FOREIGN, ids=range(len(FOREIGN)))
def test_foreign_lines_are_moved_byte_for_byte(line: bytes, tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"n": 1}\n' + line + b'\n\n{"n": 2}\n' + line)
    found = read(path)
    assert found == Lines([1, 2], [line, line])
    write(path, found.rows, found.rejected)
    assert read(path) == Lines([1, 2], [])
    assert (tmp_path / "lines.jsonl.rejected").read_bytes() == 2 * (line + b"\n")


def test_repeated_rows_are_rejected(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text('{"n": 1}\n{"n": 2}\n{"n":1}\n')
    assert read(path) == Lines([1, 2], [b'{"n":1}'])


def test_rejected_lines_add_up_but_are_not_moved_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, beside = tmp_path / "lines.jsonl", tmp_path / "lines.jsonl.rejected"
    for _ in range(2):  # the first process was killed before it replaced the file
        write(path, [], [b"a", b"b"])
        assert beside.read_bytes() == b"a\nb\n"
    assert f"version: 2, moved to {beside}\n" in capsys.readouterr().out
    write(path, [], [b"c"])
    write(path, [], [])
    assert beside.read_bytes() == b"a\nb\nc\n"
    beside.write_bytes(b"cut off")
    write(path, [], [b"off"])
    assert beside.read_bytes() == b"cut off\noff\n"


def test_a_line_is_appended_after_one_that_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    last = '{"n": 12}'
    for length in range(len(last) + 1):
        path.write_text('{"n": 11}\n' + last[:length])
        append_json_lines(path, [{"n": 13}])
        cut_off = last[:length].encode()
        if length == len(last):
            assert read(path) == Lines([11, 12, 13], [])
        else:
            assert read(path) == Lines([11, 13], [cut_off] if cut_off else [])


def test_only_files_are_read_and_written(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("mine")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "directory").mkdir()
    links = {"link": target, "nowhere": tmp_path / "missing", "device": Path("/dev/full")}
    for name, of in links.items():
        (tmp_path / name).symlink_to(of)
    for name in ("pipe", "directory", *links):
        with pytest.raises(UserError, match=f"{name} is a .*, not a file: remove or replace it"):
            append_json_lines(tmp_path / name, [{}])
    for name in ("pipe", "directory", "device"):
        with pytest.raises(UserError, match=f"{name} is a .*, not a file: remove or replace it"):
            read(tmp_path / name)
    assert target.read_text() == "mine" and not (tmp_path / "missing").exists()
