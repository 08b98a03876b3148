"""Locks: one process per workdir, and exclusive access to files."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.results import read_records
from gcgan_jax.storage.lock import locked

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
