"""Checkpoints of the training state, by Orbax, each with the checksums of its files."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import jax
import numpy as np
import orbax.checkpoint as ocp

from gcgan_jax.errors import UserError
from gcgan_jax.runtime.console import report
from gcgan_jax.storage import checksums
from gcgan_jax.storage.atomic import naming, write_text

FORMAT = 2  # of what a checkpoint holds; increased with every change of it
FORMAT_FILE = "format"  # in each checkpoint's directory
FORMAT_1_FILE = "checksums.json"  # which checkpoints of format 1 have instead


T = TypeVar("T")  # a pytree of arrays


class Checkpoints:
    """The newest few states of a run, written in the background by the first process alone.

    They hold the numbers, not where these lay: any number of devices and processes resumes them.

    Args:
        keep: how many; None: all.
        format: written into each.
    """

    def __init__(self, directory: Path, keep: int | None, format: int = FORMAT) -> None:
        self._directory, self._format = directory.absolute(), format
        self._directory.mkdir(parents=True, exist_ok=True)
        options = ocp.CheckpointManagerOptions(
            max_to_keep=keep,
            create=False,  # Orbax would have all processes do it
            enable_async_checkpointing=False,  # the checksums come after it
            multiprocessing_options=ocp.options.MultiprocessingOptions(active_processes={0}),
        )
        self._manager = ocp.CheckpointManager(self._directory, options=options)
        self._writer = ThreadPoolExecutor(1)
        self._writing: Future[None] | None = None

    @property
    def newest(self) -> int | None:
        """The iteration of the newest finished checkpoint."""
        return max(self.all, default=None)

    @property
    def all(self) -> list[int]:
        """The iterations of all finished checkpoints, in their order; waits for the last one.

        Raises:
            UserError: one of them is of format 1.
        """
        self._wait()
        paths = {step: self._directory / str(step) for step in sorted(self._manager.all_steps())}
        for path in paths.values():
            _refuse_format_1(path)
        return [step for step, path in paths.items() if checksums.is_finished(path)]

    def save(self, state: Any, iteration: int) -> None:
        """Starts to write the state; `close` waits until it is on disk.

        Raises:
            OSError: the one before could not be written.
        """
        self._wait()
        numbers = jax.tree.map(np.array, state)  # copied: the step gives up what it is handed
        self._writing = self._writer.submit(self._write, numbers, iteration)

    def restore(self, like: T, iteration: int) -> T:
        """The checkpoint of that iteration, as numpy arrays of the shapes of `like`.

        Raises:
            UserError: it is corrupted, of another format, or of other arrays than `like`.
        """
        damage = _find_corruption(self._directory / str(iteration))
        if damage:
            raise UserError(f"checkpoint {iteration} in {self._directory} is not used: {damage}")
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
        stored = ocp.StandardCheckpointer().metadata(path).item_metadata.tree
        there = {leaf.name: (leaf.shape, str(leaf.dtype)) for leaf in jax.tree.leaves(stored)}
        here = {
            jax.tree_util.keystr(name, simple=True, separator="."): (leaf.shape, str(leaf.dtype))
            for name, leaf in jax.tree_util.tree_leaves_with_path(shapes)
        }
        differing = sorted(
            name for name in there.keys() | here.keys() if there.get(name) != here.get(name)
        )
        if differing:
            first = min(differing, key=lambda name: ".params." not in name)
            raise UserError(
                f"checkpoint {iteration} in {self._directory} is of other networks: {first} is "
                f"{_array(there.get(first))} there, {_array(here.get(first))} by this config "
                f"({len(differing)} such differences): use the config it was trained with"
            )

    def _write(self, numbers: Any, iteration: int) -> None:
        step = self._directory / str(iteration)
        with naming(step):
            self._manager.save(iteration, args=ocp.args.StandardSave(numbers))
        write_text(step / FORMAT_FILE, f"{self._format}\n")
        checksums.write_checksums(step)

    def _wait(self) -> None:
        writing, self._writing = self._writing, None
        if writing:
            writing.result()


def quarantine_corrupted(directory: Path) -> None:
    """Moves corrupted and incomplete checkpoints to <directory>-damaged, and prints which.

    Raises:
        UserError: all of several are corrupted, or one is of another format; nothing is moved.
    """
    steps = sorted((path for path in directory.glob("*") if path.name.isdecimal()), key=_iteration)
    found = {path: _find_corruption(path) for path in steps}
    damaged = {path: damage for path, damage in found.items() if damage}
    if len(damaged) == len(steps) > 1:  # a single one may be a first that was not finished
        reasons = "; ".join(f"{path.name}: {damage}" for path, damage in damaged.items())
        raise UserError(
            f"none of the checkpoints in {directory} can be used ({reasons}): "
            "restore them from a copy, or start again with another --workdir"
        )
    for path, damage in damaged.items():
        aside = directory.with_name(f"{directory.name}-damaged")
        aside.mkdir(exist_ok=True)
        number = len(list(aside.iterdir()))
        path.rename(aside / f"{path.name}-{number}")
        report(f"checkpoint {path.name} in {directory} is not used: {damage}; it is now in {aside}")


def _find_corruption(step: Path) -> str | None:
    """What is wrong with a checkpoint, in a few words; None if it is intact.

    Raises:
        UserError: it is intact, but of another format; or of format 1.
    """
    _refuse_format_1(step)
    damage = checksums.find_corruption(step)
    if damage is None:
        _require_format(step, (step / FORMAT_FILE).read_text().strip())
    return damage


def _refuse_format_1(step: Path) -> None:
    if (step / FORMAT_1_FILE).exists():
        _require_format(step, "1")


def _require_format(step: Path, found: str) -> None:
    if found != str(FORMAT):
        raise UserError(
            f"{step} is of format {found}, this program reads {FORMAT}: use the version of "
            "gcgan_jax that wrote it, or another --workdir"
        )


def _array(described: tuple[tuple[int, ...], str] | None) -> str:
    return f"{described[1]} {described[0]}" if described else "not"


def _iteration(path: Path) -> int:
    return int(path.name)
