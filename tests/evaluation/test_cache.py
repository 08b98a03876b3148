"""The shared cache: programs that start together, other users, and directories of no use."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gcgan_jax.evaluation.cache import Cache
from gcgan_jax.storage.atomic import PART
from tests.full_disk import full_disk
from tests.program import ROOT

TREE = {"a": {"b": np.arange(5)}, "c": np.ones((2, 3))}
LIMIT = 10_000


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_damaged_trees_are_ignored_and_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = Cache(tmp_path / "a" / "cache")
    assert cache.load_tree("name", LIMIT) is None
    cache.store_tree("name", TREE)
    np.testing.assert_array_equal(cache.load_tree("name", LIMIT)["a"]["b"], TREE["a"]["b"])
    assert capsys.readouterr().out == ""
    (path,) = cache.directory.iterdir()
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    assert cache.load_tree("name", LIMIT) is None
    message = f"name in {cache.directory} is damaged or of another user: not used\n"
    assert capsys.readouterr().out == message
    cache.store_tree("name", {"c": np.zeros(1)})
    assert cache.load_tree("name", LIMIT).keys() == {"c"}
    assert len(list(cache.directory.iterdir())) == 1
    assert cache.load_tree("name", 8) is None


def test_a_tree_is_found_under_its_own_name_only(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.store_tree("one", TREE)
    (path,) = tmp_path.glob("one.*")
    path.rename(tmp_path / path.name.replace("one", "two"))
    assert cache.load_tree("two", LIMIT) is None


def test_trees_of_other_users_are_neither_used_nor_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = Cache(tmp_path / "cache")
    cache.store_tree("name", TREE)
    monkeypatch.setenv("HOME", str(tmp_path / "other"))
    assert cache.load_tree("name", LIMIT) is None
    assert "of another user: not used" in capsys.readouterr().out
    cache.store_tree("name", {"c": np.zeros(1)})
    assert cache.load_tree("name", LIMIT).keys() == {"c"}
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache.load_tree("name", LIMIT).keys() == {"a", "c"}
    assert capsys.readouterr().out == ""


def test_programs_that_start_together_do_not_disturb_each_other(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np\n"
        "from gcgan_jax.evaluation.cache import Cache\n"
        "cache = Cache(sys.argv[1])\n"
        "for n in range(20):\n"
        "    tree = cache.load_tree('name', 10**6)\n"
        "    assert tree is None or (tree['a'] == tree['a'][0]).all()\n"
        "    cache.store_tree('name', {'a': np.full(10_000, n % 7)})\n"
        "    cache.store('weights', bytes(100_000))\n"
        "    assert cache.load('weights', 10**6) == bytes(100_000)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "cache")]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    ended = [(*process.communicate(), process.returncode) for process in processes]
    for out, err, code in ended:
        assert code == 0, err.decode()
        assert b"cannot be cached" not in out
    assert not list((tmp_path / "cache").glob(PART))


def file_instead(path: Path) -> None:
    path.write_text("")


def file_above(path: Path) -> None:
    path.parent.write_text("")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (file_instead, "it is not a directory"),
        (file_above, "it is not a directory"),
        (lambda path: path.symlink_to("/proc/1"), ""),
        (lambda path: path.symlink_to("/absent/below"), ""),
    ],
)
def test_unusable_directory_is_reported_once(
    make: Callable[[Path], object],
    reason: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "x" / "cache"
    if make is not file_above:
        path.parent.mkdir()
    make(path)
    cache = Cache(path)
    for _ in range(2):
        assert cache.load_tree("name", LIMIT) is None and cache.load("file", LIMIT) is None
        cache.store_tree("name", TREE)
        cache.store("file", b"")
    out = capsys.readouterr().out
    assert f"cannot be cached in {path} ({reason}" in out
    assert out.count("\n") == 1 and "workdir" not in out


def test_full_disk_is_reported_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Cache(tmp_path).store_tree("other", TREE)  # creates the key
    before = set(tmp_path.rglob("*"))
    with full_disk():
        Cache(tmp_path).store_tree("name", TREE)
    assert "(File too large): the next start" in capsys.readouterr().out
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("directory", ["~no-such-user/cache", "~/cache"])
def test_missing_home_is_reported(
    directory: str, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home.write_text("")
    cache = Cache(directory)
    cache.store("file", b"")
    cache.store_tree("name", TREE)
    assert capsys.readouterr().out.count("cannot be cached in") == 1
    assert list(tmp_path.iterdir()) == [home]
