"""Checkpoints: only intact ones are used; corrupted ones are moved or rejected."""

import errno
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from gcgan_jax.errors import UserError
from gcgan_jax.gan.state import NetworkState, State
from gcgan_jax.storage.checkpoints import Checkpoints
from gcgan_jax.storage.quarantine import quarantine_unusable
from tests.full_disk import full_disk
from tests.helpers import assert_same

RUN = "digest"


def state(value: float) -> State:
    params = {"w": np.full((3, 4), value, np.float32), "b": np.arange(5.0) + value}
    network = NetworkState(params, {}, ())
    return State(np.asarray(int(value)), network, network, params)


def save_checkpoints(directory: Path, iterations: tuple[int, ...]) -> None:
    with closing(Checkpoints(directory, 3, RUN)) as checkpoints:
        for iteration in iterations:
            checkpoints.save(state(iteration), iteration)


def restore_newest(directory: Path) -> State | None:
    quarantine_unusable(RUN, directory)
    with closing(Checkpoints(directory, 3, RUN)) as checkpoints:
        if checkpoints.newest is None:
            return None
        return checkpoints.restore(state(0), checkpoints.newest)


def test_newest_three_checkpoints_are_kept(tmp_path: Path) -> None:
    save_checkpoints(tmp_path / "run", (1, 2, 3, 4, 5))
    with closing(Checkpoints(tmp_path / "run", 3, RUN)) as checkpoints:
        assert checkpoints.all == [3, 4, 5]
        assert_same(checkpoints.restore(state(0), 4), state(4))


def test_an_iteration_before_the_latest_is_skipped(tmp_path: Path) -> None:
    save_checkpoints(tmp_path / "run", (4, 2))
    with closing(Checkpoints(tmp_path / "run", 3, RUN)) as checkpoints:
        assert checkpoints.all == [4]
    assert not (tmp_path / "run" / "2").exists()


def test_sha256sum_verifies_a_checkpoint(tmp_path: Path) -> None:
    save_checkpoints(tmp_path / "run", (2,))
    step = tmp_path / "run" / "2"
    command = ["sha256sum", "--strict", "--check", "SHA256SUMS"]
    done = subprocess.run(command, cwd=step, capture_output=True, text=True)
    assert done.returncode == 0
    files = {str(path.relative_to(step)) for path in step.rglob("*") if path.is_file()}
    verified = {line.removesuffix(": OK") for line in done.stdout.splitlines()}
    assert verified == files - {"SHA256SUMS"}
    (step / "checkpoint.json").write_text("{}")
    assert subprocess.run(command, cwd=step, capture_output=True).returncode == 1


def test_mismatched_arrays_are_named(tmp_path: Path) -> None:
    save_checkpoints(tmp_path / "run", (2,))
    wider = {"w": np.zeros((3, 5), np.float32), "c": np.zeros(2)}
    other = state(0)._replace(generator=NetworkState(wider, {}, ()))
    message = (
        r"does not match the config: generator\.params\.b is float64 \(5,\) in the checkpoint, "
        r"but absent in the config \(3 mismatches\)"
    )
    with closing(Checkpoints(tmp_path / "run", 3, RUN)) as checkpoints:
        with pytest.raises(UserError, match=message):
            checkpoints.restore(other, 2)
        assert_same(checkpoints.restore(state(0), 2), state(2))


@pytest.mark.parametrize("name", ["run[lr=1]", "run*", "run?", "[", "a b", "é"])
def test_any_name_of_a_workdir_can_be_restored(name: str, tmp_path: Path) -> None:
    for directory in (tmp_path / name, tmp_path / "run1"):  # which the name may match
        directory.mkdir()
    save_checkpoints(tmp_path / "run1" / "checkpoints", (2,))
    save_checkpoints(tmp_path / name / "checkpoints", (2, 4))
    assert_same(restore_newest(tmp_path / name / "checkpoints"), state(4))


def test_the_only_checkpoint_to_keep_is_deleted_after_the_next_is_finished(tmp_path: Path) -> None:
    save_checkpoints(tmp_path / "run", (2,))
    (tmp_path / "run" / "4").mkdir()  # which the next one cannot replace
    (tmp_path / "run" / "4" / "file").write_text("")
    checkpoints = Checkpoints(tmp_path / "run", 1, RUN)
    checkpoints.save(state(4), 4)
    with pytest.raises(OSError, match="not empty"):
        checkpoints.close()
    shutil.rmtree(tmp_path / "run" / "4")
    assert_same(restore_newest(tmp_path / "run"), state(2))
    with closing(Checkpoints(tmp_path / "run", 1, RUN)) as checkpoints:
        checkpoints.save(state(6), 6)
        assert checkpoints.all == [6]


def test_full_disk_keeps_earlier_checkpoints(tmp_path: Path) -> None:
    save_checkpoints(tmp_path / "run", (2,))
    checkpoints = Checkpoints(tmp_path / "run", 3, RUN)
    with full_disk(), pytest.raises(OSError, match=str(tmp_path / "run" / "4")) as error:
        checkpoints.save(state(4), 4)
        checkpoints.close()
    assert error.value.errno == errno.EFBIG
    assert_same(restore_newest(tmp_path / "run"), state(2))
