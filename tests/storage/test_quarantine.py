"""Checkpoints that cannot be used are moved away or rejected, before a run resumes."""

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from gcgan_jax.errors import UserError
from gcgan_jax.storage import checksums
from gcgan_jax.storage.checkpoint_identity import FORMAT
from gcgan_jax.storage.checkpoints import Checkpoints
from gcgan_jax.storage.quarantine import quarantine_unusable, remove_unfinished
from tests.helpers import assert_same
from tests.storage.test_checkpoints import RUN, restore_newest, save_checkpoints, state


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
        quarantine_unusable(RUN, tmp_path / "run")
    assert sorted(tmp_path.rglob("*")) == before


def rewrite_identity(step: Path, **changes: object) -> None:
    """Change fields of a checkpoint's identity, with checksums that match."""
    path = step / "checkpoint.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    checksums.write_checksums(step)


def test_other_formats_are_rejected_and_left_in_place(tmp_path: Path) -> None:
    save_checkpoints(tmp_path / "run", (2, 4))
    rewrite_identity(tmp_path / "run" / "4", format=FORMAT + 1)
    assert_rejected(tmp_path / "run", f"4 has format {FORMAT + 1}, but this version reads format")
    for format, name in ((2, "format"), (1, "checksums.json")):
        (tmp_path / "run" / "2" / name).write_text("")
        assert_rejected(tmp_path / "run", f"2 has format {format}, but this version reads format 3")


def assert_rejected(directory: Path, message: str) -> None:
    """Check that neither resuming nor loading a checkpoint works, and that nothing is moved."""
    before = sorted(directory.parent.rglob("*"))
    with pytest.raises(UserError, match=message):
        quarantine_unusable(RUN, directory)
    assert sorted(directory.parent.rglob("*")) == before
    with (
        closing(Checkpoints(directory, 3, RUN)) as checkpoints,
        pytest.raises(UserError, match=message),
    ):
        for iteration in checkpoints.all:
            checkpoints.restore(state(0), iteration)


def test_a_checkpoint_of_another_run_is_rejected(tmp_path: Path) -> None:
    save_checkpoints(tmp_path / "run", (2, 4))
    rewrite_identity(tmp_path / "run" / "4", run="of another seed")
    assert_rejected(tmp_path / "run", "4 belongs to a run with a different config")


@pytest.mark.parametrize(
    ("name", "problem"),
    [("400", "it is a copy of iteration 4"), ("007", "it is a copy of iteration 4")],
)
def test_copies_under_other_names_are_not_used(
    name: str, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_checkpoints(tmp_path / "run", (2, 4))
    shutil.copytree(tmp_path / "run" / "4", tmp_path / "run" / name)
    assert_same(restore_newest(tmp_path / "run"), state(4))
    printed = capsys.readouterr().out
    assert f"checkpoint {name} in " in printed and f"cannot be used: {problem}; moved" in printed
    assert (tmp_path / "run-damaged" / f"{name}-0" / "checkpoint.json").exists()


def test_links_are_not_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_checkpoints(tmp_path / "run", (2, 4))
    for name in ("8", "10"):
        (tmp_path / "run" / name).symlink_to("4")
    assert_same(restore_newest(tmp_path / "run"), state(4))
    assert capsys.readouterr().out.count("cannot be used: it is a link; moved to") == 2
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["2", "4"]


def test_an_identity_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    for content in ("", "[]", "{}", '{"format": "x"}', '{"format": 3, "iteration": null}', "\0"):
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        save_checkpoints(tmp_path / "run", (2, 4))
        (tmp_path / "run" / "4" / "checkpoint.json").write_text(content)
        checksums.write_checksums(tmp_path / "run" / "4")
        assert_same(restore_newest(tmp_path / "run"), state(2))


@pytest.mark.parametrize("corrupt", [truncate, remove_a_file, empty, make_incomplete])
def test_the_only_checkpoint_damaged_is_an_error_and_touches_nothing(
    corrupt: Callable[[Path], None], tmp_path: Path
) -> None:
    save_checkpoints(tmp_path / "run", (2,))
    corrupt(tmp_path / "run" / "2")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match=r"none of the checkpoints .* can be used \(2: "):
        restore_newest(tmp_path / "run")
    assert sorted(tmp_path.rglob("*")) == before


def test_what_killed_processes_left_is_removed(tmp_path: Path) -> None:
    save_checkpoints(tmp_path / "run", (2,))
    shutil.copytree(tmp_path / "run" / "2", tmp_path / "run" / "4.part")
    (tmp_path / "kept").mkdir()
    (tmp_path / "run" / "6.part").symlink_to(tmp_path / "kept")
    remove_unfinished(tmp_path / "run")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["2"]
    assert (tmp_path / "kept").exists()


def test_nothing_moves_unless_all_directories_can_be_used(tmp_path: Path) -> None:
    save_checkpoints(tmp_path / "checkpoints", (2, 4))
    save_checkpoints(tmp_path / "best", (2,))
    for step in ("checkpoints/4", "best/2"):
        truncate(tmp_path / step)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match=r"none of the checkpoints in .*best can be used"):
        quarantine_unusable(RUN, tmp_path / "checkpoints", tmp_path / "best")
    assert sorted(tmp_path.rglob("*")) == before
