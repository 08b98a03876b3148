"""Orbax checkpoints of the training state, each with its identity and checksums of its files.

A checkpoint gets its name, the iteration, when it is complete; until then, and while it is deleted,
the name ends in `.part`. The item in it is called as Orbax's own CheckpointManager calls it.
"""

import glob
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import jax
import numpy as np
import orbax.checkpoint as ocp
from absl import logging

from gcgan_jax.errors import UserError
from gcgan_jax.storage import checksums
from gcgan_jax.storage.atomic import name_path_in_errors, remove
from gcgan_jax.storage.checkpoint_identity import Identity, find_problem, is_step
from gcgan_jax.storage.disk_space import require_space
from gcgan_jax.storage.quarantine import PART

ITEM = ocp.checkpoint_manager.DEFAULT_ITEM_NAME
OVERHEAD = 2**18  # bytes of a checkpoint beside its arrays, at most

T = TypeVar("T")  # a pytree of arrays


class Checkpoints:
    """Checkpoints of a run, written in the background by process 0.

    They store values without shardings, so any number of devices and processes can resume them.

    Args:
        directory: the directory of all checkpoints, created by the first save.
        keep: the number of latest checkpoints to keep; None: all.
        run: see `Identity`.
    """

    def __init__(self, directory: Path, keep: int | None, run: str) -> None:
        self._directory, self._keep, self._run = directory.absolute(), keep, run
        process_0 = ocp.options.MultiprocessingOptions(active_processes={0})
        self._checkpointer = ocp.Checkpointer(
            ocp.StandardCheckpointHandler(multiprocessing_options=process_0),
            multiprocessing_options=process_0,
        )
        self._writer = ThreadPoolExecutor(1)
        self._writing: Future[None] | None = None

    @property
    def newest(self) -> int | None:
        """Iteration of the latest finished checkpoint; None if there is none."""
        return max(self.all, default=None)

    @property
    def all(self) -> list[int]:
        """Iterations of all finished checkpoints, ascending; waits for a pending write."""
        self.wait()
        return self._finished()

    def save(self, state: Any, iteration: int) -> None:
        """Start writing the state in the background; `wait` and `close` wait until it is on disk.

        It is not written if there is a later checkpoint.

        Raises:
            OSError: the previous checkpoint could not be written.
        """
        if iteration <= max(self.all, default=-1):
            return
        arrays = jax.tree.map(np.array, state)  # copies, as the step donates its buffers
        self._writing = self._writer.submit(self._write, arrays, iteration)

    def restore(self, like: T, iteration: int) -> T:
        """Return the checkpoint of an iteration as a tree like `like`, with NumPy arrays.

        Raises:
            UserError: it is corrupted, has another format, belongs to another run, or does not
                match the arrays of `like`.
        """
        step = self._directory / str(iteration)
        problem = find_problem(step, self._run)
        if problem:
            raise UserError(
                f"checkpoint {iteration} in {self._directory} cannot be used: {problem}; choose "
                "another with config.checkpoint"
            )
        shapes = jax.tree.map(np.asarray, like)
        with _without_wildcards(step) as path:
            differing = self._differences(shapes, path)
            if differing:
                raise UserError(
                    f"checkpoint {iteration} in {self._directory} does not match the config: "
                    f"{differing}: use the config it was trained with"
                )
            return self._checkpointer.restore(path / ITEM, args=ocp.args.StandardRestore(shapes))

    def wait(self) -> None:
        """Wait until the latest save is on disk.

        Raises:
            OSError: it could not be written.
        """
        writing, self._writing = self._writing, None
        if writing:
            writing.result()

    def close(self) -> None:
        try:
            self.wait()
        finally:
            self._writer.shutdown()
            self._checkpointer.close()

    def _finished(self) -> list[int]:
        steps = (path for path in self._directory.glob("*") if is_step(path))
        return sorted(int(path.name) for path in steps if checksums.is_finished(path))

    def _write(self, arrays: Any, iteration: int) -> None:
        step = self._directory / str(iteration)
        part = step.with_name(f"{iteration}{PART}")
        with name_path_in_errors(step):
            self._directory.mkdir(exist_ok=True)
            remove(part)
            try:
                self._fill(part, arrays, iteration)
            except BaseException:
                remove(part)
                raise
            part.rename(step)
            self._delete_old()

    def _fill(self, step: Path, arrays: Any, iteration: int) -> None:
        step.mkdir()
        size = sum(leaf.nbytes for leaf in jax.tree.leaves(arrays))
        require_space(step, size + size // 16 + OVERHEAD)
        with _without_wildcards(step) as path, _logging(logging.FATAL):  # what fails is raised
            self._checkpointer.save(path / ITEM, args=ocp.args.StandardSave(arrays))
            differing = self._differences(arrays, path)
        if differing:
            raise UserError(f"{step} was not written as it should be ({differing}): check the disk")
        Identity(iteration, self._run).write(step)
        checksums.write_checksums(step)

    def _delete_old(self) -> None:
        """Delete all checkpoints but the latest, once these are finished."""
        for iteration in self._finished()[: -self._keep] if self._keep else []:
            step = self._directory / str(iteration)
            remove(step.rename(step.with_name(f"{iteration}{PART}")))

    def _differences(self, expected: Any, step: Path) -> str | None:
        """Compare names, shapes and dtypes of arrays with those in a checkpoint's directory."""
        with _logging(logging.ERROR):  # no warning of a file that this format does not have
            stored = self._checkpointer.metadata(step / ITEM).item_metadata
        leaves = jax.tree.leaves(stored.tree) if stored else []
        actual = {leaf.name: (leaf.shape, str(leaf.dtype)) for leaf in leaves}
        wanted = {
            jax.tree_util.keystr(name, simple=True, separator="."): (leaf.shape, str(leaf.dtype))
            for name, leaf in jax.tree_util.tree_leaves_with_path(expected)
        }
        differing = sorted(
            name for name in actual.keys() | wanted.keys() if actual.get(name) != wanted.get(name)
        )
        if not differing:
            return None
        first = min(differing, key=lambda name: ".params." not in name)
        return (
            f"{first} is {_describe(actual.get(first))} in the checkpoint, but "
            f"{_describe(wanted.get(first))} in the config ({len(differing)} mismatches)"
        )


@contextmanager
def _without_wildcards(path: Path) -> Iterator[Path]:
    """Reach a path by a name without `*`, `?` and `[`, which Orbax would expand."""
    if str(path) == glob.escape(str(path)):
        yield path
        return
    with tempfile.TemporaryDirectory() as directory:
        link = Path(directory, "checkpoint")
        link.symlink_to(path)
        yield link


@contextmanager
def _logging(verbosity: int) -> Iterator[None]:
    """Limit what Orbax writes to absl's log."""
    before = logging.get_verbosity()
    logging.set_verbosity(min(before, verbosity))
    try:
        yield
    finally:
        logging.set_verbosity(before)


def _describe(array: tuple[tuple[int, ...], str] | None) -> str:
    return f"{array[1]} {array[0]}" if array else "absent"
