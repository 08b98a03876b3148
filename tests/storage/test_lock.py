"""Locks: one process per workdir, and exclusive access to files."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.results import read_records
from gcgan_jax.storage.lock import exclusive_access, locked

HOLD = """
import sys
from pathlib import Path
from gcgan_jax.storage.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_lock_names_its_holder_and_ends_with_the_process(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        text=True,
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        message = f"in use by process {holder.pid} on "
        with pytest.raises(UserError, match=message), locked(tmp_path):
            pass
        holder.send_signal(signal.SIGKILL)
    with locked(tmp_path):
        assert f"process {os.getpid()} on " in (tmp_path / "lock").read_text()
    with locked(tmp_path):
        pass


def test_all_modules_import_without_unix_modules() -> None:
    script = (
        "import importlib, pkgutil, sys\n"
        "sys.modules |= dict.fromkeys(['fcntl', 'grp', 'pwd', 'resource', 'termios'])\n"
        "import gcgan_jax\n"
        "for module in pkgutil.walk_packages(gcgan_jax.__path__, 'gcgan_jax.'):\n"
        "    importlib.import_module(module.name)"
    )
    subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2], check=True)


def test_file_as_workdir_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="is a file: choose a directory"), locked(tmp_path / "file"):
        pass


@pytest.mark.parametrize("lock", [locked, lambda path: exclusive_access(path / "scores.jsonl")])
def test_links_and_special_files_are_not_opened_as_locks(
    lock: Callable[[Path], AbstractContextManager[None]], tmp_path: Path
) -> None:
    target = tmp_path / "target"
    target.write_text("precious")
    directory = tmp_path / "run"
    for make, kind in (
        (lambda path: path.symlink_to(target), "link"),
        (lambda path: path.symlink_to(tmp_path / "absent"), "link"),
        (os.mkfifo, "pipe"),
        (os.mkdir, "directory"),
    ):
        directory.mkdir()
        for name in ("lock", "scores.jsonl.lock"):
            make(directory / name)
        with pytest.raises(UserError, match=rf"lock is a {kind}, .*: remove"), lock(directory):
            pass
        directory.rename(tmp_path / f"run{len(list(tmp_path.iterdir()))}")
    assert target.read_text() == "precious"
    assert not (tmp_path / "absent").exists()


def test_hard_link_as_lock_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("precious")
    (tmp_path / "run").mkdir()
    os.link(tmp_path / "target", tmp_path / "run" / "lock")
    with locked(tmp_path / "run"):
        pass
    assert (tmp_path / "target").read_text() == "precious"


def test_concurrent_writers_lose_no_records(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from gcgan_jax.evaluation.results import add_records\n"
        "from tests.evaluation.test_results import record\n"
        "for n in range(20):\n"
        "    add_records(Path(sys.argv[1]), [record(score=f'{sys.argv[2]}{n}')])"
    )
    path = tmp_path / "scores.jsonl"
    command = [sys.executable, "-c", script, str(path)]
    root = Path(__file__).parents[2]
    processes = [subprocess.Popen([*command, name], cwd=root) for name in "abc"]
    assert [process.wait() for process in processes] == [0, 0, 0]
    names = {record.score for record in read_records(path)}
    assert names == {f"{name}{n}" for name in "abc" for n in range(20)}
