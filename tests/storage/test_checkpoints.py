"""Checkpoints: only intact ones are used; corrupted ones are moved or rejected."""

import errno
import json
import shutil
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from gcgan_jax.errors import UserError
from gcgan_jax.gan.state import NetworkState, State
from gcgan_jax.storage.checkpoints import FORMAT, Checkpoints, quarantine_corrupted
from tests.full_disk import full_disk
from tests.helpers import assert_same


def state(value: float) -> State:
    params = {"w": np.full((3, 4), value, np.float32), "b": np.arange(5.0) + value}
    network = NetworkState(params, {}, ())
    return State(np.asarray(int(value)), network, network, params)


def save_checkpoints(directory: Path, iterations: tuple[int, ...], format: int = FORMAT) -> None:
    with closing(Checkpoints(directory, 3, format)) as checkpoints:
        for iteration in iterations:
            checkpoints.save(state(iteration), iteration)


def restore_newest(directory: Path) -> State | None:
    quarantine_corrupted(directory)
    with closing(Checkpoints(directory, 3)) as checkpoints:
        if checkpoints.newest is None:
            return None
        return checkpoints.restore(state(0), checkpoints.newest)


def test_newest_three_checkpoints_are_kept(tmp_path: Path) -> None:
    save_checkpoints(tmp_path / "run", (1, 2, 3, 4, 5))
    with closing(Checkpoints(tmp_path / "run", 3)) as checkpoints:
        assert checkpoints.all == [3, 4, 5]
        assert_same(checkpoints.restore(state(0), 4), state(4))


def test_an_iteration_before_the_latest_is_skipped(tmp_path: Path) -> None:
    save_checkpoints(tmp_path / "run", (4, 2))
    with closing(Checkpoints(tmp_path / "run", keep=3)) as checkpoints:
        assert checkpoints.all == [4]
    assert not (tmp_path / "run" / "2").exists()


def truncate(step: Path) -> None:
    path = step / "default" / "_METADATA"
    path.write_bytes(path.read_bytes()[:-1])


def remove_a_file(step: Path) -> None:
    next(path for path in (step / "default").rglob("*") if path.is_file()).unlink()


def empty(step: Path) -> None:
    shutil.rmtree(step)
    step.mkdir()


def make_incomplete(step: Path) -> None:
    (step / "SHA256SUMS").unlink()


@pytest.mark.parametrize("corrupt", [truncate, remove_a_file, empty, make_incomplete])
def test_newest_intact_checkpoint_is_used(
    corrupt: Callable[[Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_checkpoints(tmp_path / "run", (2, 4, 6))
    corrupt(tmp_path / "run" / "6")
    assert_same(restore_newest(tmp_path / "run"), state(4))
    printed = capsys.readouterr().out
    assert printed.startswith("checkpoint 6 in ") and "cannot be used: " in printed
    assert printed.count("\n") == 1
    save_checkpoints(tmp_path / "run", (6, 8))  # the directory 6 is free
    assert_same(restore_newest(tmp_path / "run"), state(8))


def test_any_flipped_byte_is_detected(tmp_path: Path) -> None:
    save_checkpoints(tmp_path / "intact", (2, 4))
    files = [path for path in (tmp_path / "intact" / "4").rglob("*") if path.is_file()]
    assert len(files) > 5
    random = np.random.default_rng(0)
    for file in files:
        stored = bytearray(file.read_bytes())
        if not stored:
            continue
        shutil.copytree(tmp_path / "intact", tmp_path / "run")
        offset = random.integers(len(stored))
        stored[offset] ^= 1 << random.integers(8)
        (tmp_path / "run" / file.relative_to(tmp_path / "intact")).write_bytes(stored)
        assert_same(restore_newest(tmp_path / "run"), state(2))
        shutil.rmtree(tmp_path / "run")
        shutil.rmtree(tmp_path / "run-damaged")


def test_all_corrupted_is_an_error_and_moves_nothing(tmp_path: Path) -> None:
    save_checkpoints(tmp_path / "run", (2, 4))
    for step in ("2", "4"):
        truncate(tmp_path / "run" / step)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match=r"none of the checkpoints .* can be used \(2: .*; 4: "):
        quarantine_corrupted(tmp_path / "run")
    assert sorted(tmp_path.rglob("*")) == before


def test_other_format_is_rejected_and_left_in_place(tmp_path: Path) -> None:
    save_checkpoints(tmp_path / "run", (2, 4), FORMAT + 1)
    with pytest.raises(
        UserError, match=f"has format {FORMAT + 1}, but this version reads format {FORMAT}"
    ):
        quarantine_corrupted(tmp_path / "run")
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["2", "4"]


def test_format_1_is_rejected_and_left_in_place(tmp_path: Path) -> None:
    save_checkpoints(tmp_path / "run", (2, 4))
    for step in (tmp_path / "run").iterdir():
        for name in ("SHA256SUMS", "format"):
            (step / name).unlink()
        (step / "checksums.json").write_text(json.dumps({"format": 1, "files": {}, "own": ""}))
    before = sorted(tmp_path.rglob("*"))
    message = r"has format 1, but this version reads format 2: use the version of gcgan_jax that"
    with pytest.raises(UserError, match=message):
        quarantine_corrupted(tmp_path / "run")
    with closing(Checkpoints(tmp_path / "run", 3)) as checkpoints:
        with pytest.raises(UserError, match=message):
            _ = checkpoints.newest
        with pytest.raises(UserError, match=message):
            checkpoints.restore(state(0), 4)
    assert sorted(tmp_path.rglob("*")) == before


def test_sha256sum_verifies_a_checkpoint(tmp_path: Path) -> None:
    save_checkpoints(tmp_path / "run", (2,))
    step = tmp_path / "run" / "2"
    command = ["sha256sum", "--strict", "--check", "SHA256SUMS"]
    done = subprocess.run(command, cwd=step, capture_output=True, text=True)
    assert done.returncode == 0
    files = {str(path.relative_to(step)) for path in step.rglob("*") if path.is_file()}
    verified = {line.removesuffix(": OK") for line in done.stdout.splitlines()}
    assert verified == files - {"SHA256SUMS"}
    truncate(step)
    assert subprocess.run(command, cwd=step, capture_output=True).returncode == 1


def test_mismatched_arrays_are_named(tmp_path: Path) -> None:
    save_checkpoints(tmp_path / "run", (2,))
    wider = {"w": np.zeros((3, 5), np.float32), "c": np.zeros(2)}
    other = state(0)._replace(generator=NetworkState(wider, {}, ()))
    message = (
        r"does not match the config: generator\.params\.b is float64 \(5,\) in the checkpoint, "
        r"but absent in the config \(3 mismatches\)"
    )
    with closing(Checkpoints(tmp_path / "run", 3)) as checkpoints:
        with pytest.raises(UserError, match=message):
            checkpoints.restore(other, 2)
        assert_same(checkpoints.restore(state(0), 2), state(2))


def test_single_incomplete_checkpoint_means_a_fresh_start(tmp_path: Path) -> None:
    save_checkpoints(tmp_path / "run", (2,))
    make_incomplete(tmp_path / "run" / "2")
    assert restore_newest(tmp_path / "run") is None


def test_full_disk_keeps_earlier_checkpoints(tmp_path: Path) -> None:
    save_checkpoints(tmp_path / "run", (2,))
    checkpoints = Checkpoints(tmp_path / "run", 3)
    with full_disk(), pytest.raises(OSError, match=str(tmp_path / "run" / "4")) as error:
        checkpoints.save(state(4), 4)
        checkpoints.close()
    assert error.value.errno == errno.EFBIG
    assert_same(restore_newest(tmp_path / "run"), state(2))
