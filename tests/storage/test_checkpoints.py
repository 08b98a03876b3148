"""Checkpoints: only intact ones are used, whatever happened to the others."""

import errno
import json
import shutil
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import jax
import numpy as np
import pytest

from gcgan_jax.errors import UserError
from gcgan_jax.gan.state import NetworkState, State
from gcgan_jax.storage.checkpoints import FORMAT, Checkpoints, quarantine_corrupted
from tests.full_disk import full_disk


def state(value: float) -> State:
    numbers = {"w": np.full((3, 4), value, np.float32), "b": np.arange(5.0) + value}
    network = NetworkState(numbers, {}, ())
    return State(np.asarray(int(value)), network, network, numbers)


def kept(directory: Path, iterations: tuple[int, ...], format: int = FORMAT) -> None:
    with closing(Checkpoints(directory, 3, format)) as checkpoints:
        for iteration in iterations:
            checkpoints.save(state(iteration), iteration)


def newest(directory: Path) -> State | None:
    quarantine_corrupted(directory)
    with closing(Checkpoints(directory, 3)) as checkpoints:
        if checkpoints.newest is None:
            return None
        return checkpoints.restore(state(0), checkpoints.newest)


def assert_same(a: State, b: State) -> None:
    for mine, theirs in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_the_newest_three_are_kept(tmp_path: Path) -> None:
    kept(tmp_path / "run", (1, 2, 3, 4, 5))
    with closing(Checkpoints(tmp_path / "run", 3)) as checkpoints:
        assert checkpoints.all == [3, 4, 5]
        assert_same(checkpoints.restore(state(0), 4), state(4))


def cut(step: Path) -> None:
    path = step / "default" / "_METADATA"
    path.write_bytes(path.read_bytes()[:-1])


def remove_a_file(step: Path) -> None:
    next(path for path in (step / "default").rglob("*") if path.is_file()).unlink()


def empty(step: Path) -> None:
    shutil.rmtree(step)
    step.mkdir()


def unfinished(step: Path) -> None:
    (step / "SHA256SUMS").unlink()


@pytest.mark.parametrize("harm", [cut, remove_a_file, empty, unfinished])
def test_the_newest_good_one_is_used(
    harm: Callable[[Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept(tmp_path / "run", (2, 4, 6))
    harm(tmp_path / "run" / "6")
    assert_same(newest(tmp_path / "run"), state(4))
    printed = capsys.readouterr().out
    assert printed.startswith("checkpoint 6 in ") and "is not used: " in printed
    assert printed.count("\n") == 1
    kept(tmp_path / "run", (6, 8))  # the place is free again
    assert_same(newest(tmp_path / "run"), state(8))


def test_any_flipped_byte_is_found(tmp_path: Path) -> None:
    kept(tmp_path / "whole", (2, 4))
    files = [path for path in (tmp_path / "whole" / "4").rglob("*") if path.is_file()]
    assert len(files) > 5
    random = np.random.default_rng(0)
    for file in files:
        stored = bytearray(file.read_bytes())
        if not stored:
            continue
        shutil.copytree(tmp_path / "whole", tmp_path / "run")
        place = random.integers(len(stored))
        stored[place] ^= 1 << random.integers(8)
        (tmp_path / "run" / file.relative_to(tmp_path / "whole")).write_bytes(stored)
        assert_same(newest(tmp_path / "run"), state(2))
        shutil.rmtree(tmp_path / "run")
        shutil.rmtree(tmp_path / "run-damaged")


def test_all_bad_stops_and_changes_nothing(tmp_path: Path) -> None:
    kept(tmp_path / "run", (2, 4))
    for step in ("2", "4"):
        cut(tmp_path / "run" / step)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match=r"none of the checkpoints .* can be used \(2: .*; 4: "):
        quarantine_corrupted(tmp_path / "run")
    assert sorted(tmp_path.rglob("*")) == before


def test_another_format_is_refused_and_stays(tmp_path: Path) -> None:
    kept(tmp_path / "run", (2, 4), FORMAT + 1)
    with pytest.raises(UserError, match=f"is of format {FORMAT + 1}, this program reads {FORMAT}"):
        quarantine_corrupted(tmp_path / "run")
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["2", "4"]


def test_format_1_is_refused_and_stays(tmp_path: Path) -> None:
    kept(tmp_path / "run", (2, 4))
    for step in (tmp_path / "run").iterdir():
        for name in ("SHA256SUMS", "format"):
            (step / name).unlink()
        (step / "checksums.json").write_text(json.dumps({"format": 1, "files": {}, "own": ""}))
    before = sorted(tmp_path.rglob("*"))
    refused = r"is of format 1, this program reads 2: use the version of gcgan_jax that wrote it"
    with pytest.raises(UserError, match=refused):
        quarantine_corrupted(tmp_path / "run")
    with closing(Checkpoints(tmp_path / "run", 3)) as checkpoints:
        with pytest.raises(UserError, match=refused):
            _ = checkpoints.newest
        with pytest.raises(UserError, match=refused):
            checkpoints.restore(state(0), 4)
    assert sorted(tmp_path.rglob("*")) == before


def test_sha256sum_verifies_a_checkpoint(tmp_path: Path) -> None:
    kept(tmp_path / "run", (2,))
    step = tmp_path / "run" / "2"
    command = ["sha256sum", "--strict", "--check", "SHA256SUMS"]
    done = subprocess.run(command, cwd=step, capture_output=True, text=True)
    assert done.returncode == 0
    files = {str(path.relative_to(step)) for path in step.rglob("*") if path.is_file()}
    verified = {line.removesuffix(": OK") for line in done.stdout.splitlines()}
    assert verified == files - {"SHA256SUMS"}
    cut(step)
    assert subprocess.run(command, cwd=step, capture_output=True).returncode == 1


def test_other_networks_are_named(tmp_path: Path) -> None:
    kept(tmp_path / "run", (2,))
    wider = {"w": np.zeros((3, 5), np.float32), "c": np.zeros(2)}
    other = state(0)._replace(generator=NetworkState(wider, {}, ()))
    message = (
        r"is of other networks: generator\.params\.b is float64 \(5,\) there, not by this config "
        r"\(3 such differences\)"
    )
    with closing(Checkpoints(tmp_path / "run", 3)) as checkpoints:
        with pytest.raises(UserError, match=message):
            checkpoints.restore(other, 2)
        assert_same(checkpoints.restore(state(0), 2), state(2))


def test_a_first_one_that_was_not_finished_is_a_new_start(tmp_path: Path) -> None:
    kept(tmp_path / "run", (2,))
    unfinished(tmp_path / "run" / "2")
    assert newest(tmp_path / "run") is None


def test_a_full_disk_keeps_what_was_saved(tmp_path: Path) -> None:
    kept(tmp_path / "run", (2,))
    checkpoints = Checkpoints(tmp_path / "run", 3)
    with full_disk(), pytest.raises(OSError, match=str(tmp_path / "run" / "4")) as error:
        checkpoints.save(state(4), 4)
        checkpoints.close()
    assert error.value.errno == errno.EFBIG
    assert_same(newest(tmp_path / "run"), state(2))
