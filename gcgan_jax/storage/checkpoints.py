"""Orbax checkpoints of the training state, each with checksums of its files."""

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
from gcgan_jax.runtime.console import report
from gcgan_jax.storage import checksums
from gcgan_jax.storage.atomic import name_path_in_errors, write_text

FORMAT = 2  # version of the checkpoint contents, increased with every change
FORMAT_FILE = "format"  # in each checkpoint's directory
FORMAT_1_FILE = "checksums.json"  # in checkpoints of format 1 instead


T = TypeVar("T")  # a pytree of arrays


class Checkpoints:
    """Checkpoints of a run, written in the background by process 0.

    They store values without shardings, so any number of devices and processes can resume them.

    Args:
        directory: the directory of all checkpoints, created if necessary.
        keep: the number of latest checkpoints to keep; None: all.
        format: the format version written into each checkpoint.
    """

    def __init__(self, directory: Path, keep: int | None, format: int = FORMAT) -> None:
        self._directory, self._format = directory.absolute(), format
        self._directory.mkdir(parents=True, exist_ok=True)
        options = ocp.CheckpointManagerOptions(
            max_to_keep=keep,
            create=False,  # Orbax would create it from all processes
            enable_async_checkpointing=False,  # the checksums are written afterwards
            multiprocessing_options=ocp.options.MultiprocessingOptions(active_processes={0}),
        )
        self._manager = ocp.CheckpointManager(self._directory, options=options)
        self._writer = ThreadPoolExecutor(1)
        self._writing: Future[None] | None = None

    @property
    def newest(self) -> int | None:
        """Iteration of the latest finished checkpoint; None if there is none."""
        return max(self.all, default=None)

    @property
    def all(self) -> list[int]:
        """Iterations of all finished checkpoints, ascending; waits for a pending write.

        Raises:
            UserError: a checkpoint has format 1.
        """
        self._wait()
        paths = {step: self._directory / str(step) for step in sorted(self._manager.all_steps())}
        for path in paths.values():
            _reject_format_1(path)
        return [step for step, path in paths.items() if checksums.is_finished(path)]

    def save(self, state: Any, iteration: int) -> None:
        """Start writing the state in the background; `close` waits until it is on disk.

        Raises:
            OSError: the previous checkpoint could not be written.
        """
        self._wait()
        arrays = jax.tree.map(np.array, state)  # copies, as the step donates its buffers
        self._writing = self._writer.submit(self._write, arrays, iteration)

    def restore(self, like: T, iteration: int) -> T:
        """Return the checkpoint of an iteration as a tree like `like`, with NumPy arrays.

        Raises:
            UserError: it is corrupted, has another format, or does not match the arrays of `like`.
        """
        problem = _find_corruption(self._directory / str(iteration))
        if problem:
            raise UserError(
                f"checkpoint {iteration} in {self._directory} cannot be used: {problem}; choose "
                "another with config.checkpoint"
            )
        shapes = jax.tree.map(np.asarray, like)
        self._require_shapes(shapes, iteration)
        return self._manager.restore(iteration, args=ocp.args.StandardRestore(shapes))

    def close(self) -> None:
        try:
            self._wait()
        finally:
            self._writer.shutdown()
            self._manager.close()

    def _require_shapes(self, shapes: Any, iteration: int) -> None:
        path = self._directory / str(iteration) / ocp.checkpoint_manager.DEFAULT_ITEM_NAME
        with _without_warnings():  # of a file that this format does not have
            stored = ocp.StandardCheckpointer().metadata(path).item_metadata.tree
        actual = {leaf.name: (leaf.shape, str(leaf.dtype)) for leaf in jax.tree.leaves(stored)}
        expected = {
            jax.tree_util.keystr(name, simple=True, separator="."): (leaf.shape, str(leaf.dtype))
            for name, leaf in jax.tree_util.tree_leaves_with_path(shapes)
        }
        differing = sorted(
            name
            for name in actual.keys() | expected.keys()
            if actual.get(name) != expected.get(name)
        )
        if differing:
            first = min(differing, key=lambda name: ".params." not in name)
            raise UserError(
                f"checkpoint {iteration} in {self._directory} does not match the config: {first} "
                f"is {_describe(actual.get(first))} in the checkpoint, but "
                f"{_describe(expected.get(first))} in the config ({len(differing)} mismatches): "
                "use the config it was trained with"
            )

    def _write(self, arrays: Any, iteration: int) -> None:
        step = self._directory / str(iteration)
        with name_path_in_errors(step):
            saved = self._manager.save(iteration, args=ocp.args.StandardSave(arrays))
        if not saved:  # Orbax skips iterations up to the latest
            return
        write_text(step / FORMAT_FILE, f"{self._format}\n")
        checksums.write_checksums(step)

    def _wait(self) -> None:
        writing, self._writing = self._writing, None
        if writing:
            writing.result()


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Silence the warnings that Orbax writes to absl's log."""
    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)


def quarantine_corrupted(directory: Path) -> None:
    """Move corrupted and incomplete checkpoints to <directory>-damaged, and report each.

    Raises:
        UserError: all of several are corrupted, or one has another format; nothing is moved.
    """
    steps = sorted((path for path in directory.glob("*") if path.name.isdecimal()), key=_iteration)
    checked = {path: _find_corruption(path) for path in steps}
    corrupted = {path: problem for path, problem in checked.items() if problem}
    if len(corrupted) == len(steps) > 1:  # a single one may be an interrupted first save
        problems = "; ".join(f"{path.name}: {problem}" for path, problem in corrupted.items())
        raise UserError(
            f"none of the checkpoints in {directory} can be used ({problems}): "
            "restore them from a backup, or start a new run in another --workdir"
        )
    for path, problem in corrupted.items():
        quarantine = directory.with_name(f"{directory.name}-damaged")
        quarantine.mkdir(exist_ok=True)
        number = len(list(quarantine.iterdir()))
        path.rename(quarantine / f"{path.name}-{number}")
        report(
            f"checkpoint {path.name} in {directory} cannot be used: {problem}; moved to "
            f"{quarantine}"
        )


def _find_corruption(step: Path) -> str | None:
    """Describe what is wrong with a checkpoint in a few words; None if it is intact.

    Raises:
        UserError: it has format 1, or is intact but has another format.
    """
    _reject_format_1(step)
    problem = checksums.find_corruption(step)
    if problem is None:
        _require_format(step, (step / FORMAT_FILE).read_text().strip())
    return problem


def _reject_format_1(step: Path) -> None:
    if (step / FORMAT_1_FILE).exists():
        _require_format(step, "1")


def _require_format(step: Path, actual: str) -> None:
    if actual != str(FORMAT):
        raise UserError(
            f"{step} has format {actual}, but this version reads format {FORMAT}: use the version "
            "of gcgan_jax that wrote it, or another --workdir"
        )


def _describe(array: tuple[tuple[int, ...], str] | None) -> str:
    return f"{array[1]} {array[0]}" if array else "absent"


def _iteration(path: Path) -> int:
    return int(path.name)
