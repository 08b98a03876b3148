"""Checkpoints of the training state, by Orbax, each with a list of its files' checksums."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import jax
import numpy as np
import orbax.checkpoint as ocp

from gcgan_jax.errors import UserError
from gcgan_jax.files import naming
from gcgan_jax.log import say
from gcgan_jax.manifest import find_damage, is_finished, write_manifest
from gcgan_jax.state import State


class Checkpoints:
    """The newest few states of a run, written in the background by the first process alone.

    They hold the numbers, not where these lay: any number of devices and processes goes on.
    """

    def __init__(self, directory: Path, keep: int | None) -> None:
        self._directory = directory.absolute()
        self._directory.mkdir(parents=True, exist_ok=True)
        options = ocp.CheckpointManagerOptions(
            max_to_keep=keep,
            create=False,  # Orbax would have all processes do it
            enable_async_checkpointing=False,  # the list of checksums comes after it
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
        """The iterations of all finished checkpoints, in their order; waits for the last one."""
        self._wait()
        steps = sorted(self._manager.all_steps())
        return [step for step in steps if is_finished(self._directory / str(step))]

    def save(self, state: State, iteration: int) -> None:
        """Starts to write the state; `close` waits until it is on disk.

        Raises:
            OSError: the one before could not be written.
        """
        self._wait()
        numbers = jax.tree.map(np.array, state)  # copied: the step gives up what it is handed
        self._writing = self._writer.submit(self._write, numbers, iteration)

    def restore(self, like: State, iteration: int) -> State:
        """The checkpoint of that iteration, as numpy arrays of the shapes of `like`.

        Raises:
            UserError: it is not as it was written, or of other arrays than `like`.
        """
        damage = find_damage(self._directory / str(iteration))
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

    def _require_shapes(self, shapes: State, iteration: int) -> None:
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
            first = min(differing, key=lambda name: not name.startswith("generator.params"))
            raise UserError(
                f"checkpoint {iteration} in {self._directory} is of other networks: {first} is "
                f"{_array(there.get(first))} there, {_array(here.get(first))} by this config "
                f"({len(differing)} such differences): go on with the config it was trained with"
            )

    def _write(self, numbers: State, iteration: int) -> None:
        step = self._directory / str(iteration)
        with naming(step):
            self._manager.save(iteration, args=ocp.args.StandardSave(numbers))
        write_manifest(step)

    def _wait(self) -> None:
        writing, self._writing = self._writing, None
        if writing:
            writing.result()


def set_damaged_aside(directory: Path) -> None:
    """Moves checkpoints that are not as they were written to <directory>-damaged, and tells it.

    Raises:
        UserError: there are finished ones, and all are damaged; they stay where they are.
    """
    steps = sorted((path for path in directory.glob("*") if path.name.isdecimal()), key=_iteration)
    found = {path: find_damage(path) for path in steps}
    damaged = {path: damage for path, damage in found.items() if damage}
    if len(damaged) == len(steps) > 1:  # a single one may be a first that was not finished
        told = "; ".join(f"{path.name}: {damage}" for path, damage in damaged.items())
        raise UserError(
            f"none of the checkpoints in {directory} can be used ({told}): "
            "restore them from a copy, or start anew with another --workdir"
        )
    for path, damage in damaged.items():
        aside = directory.with_name(f"{directory.name}-damaged")
        aside.mkdir(exist_ok=True)
        number = len(list(aside.iterdir()))
        path.rename(aside / f"{path.name}-{number}")
        say(f"checkpoint {path.name} in {directory} is not used: {damage}; it is now in {aside}")


def _array(described: tuple[tuple[int, ...], str] | None) -> str:
    return f"{described[1]} {described[0]}" if described else "not"


def _iteration(path: Path) -> int:
    return int(path.name)
