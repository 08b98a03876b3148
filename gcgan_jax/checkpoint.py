"""Checkpoints of the training state, by Orbax."""

from pathlib import Path

import jax
import numpy as np
import orbax.checkpoint as ocp

from gcgan_jax.state import State


class Checkpoints:
    """The newest few states of a run, written in the background by the first process alone.

    They hold the numbers, not where these lay: any number of devices and processes goes on.
    """

    def __init__(self, directory: Path, keep: int | None) -> None:
        directory = directory.absolute()
        directory.mkdir(parents=True, exist_ok=True)
        options = ocp.CheckpointManagerOptions(
            max_to_keep=keep,
            create=False,  # Orbax would have all processes do it
            multiprocessing_options=ocp.options.MultiprocessingOptions(active_processes={0}),
        )
        self._manager = ocp.CheckpointManager(directory, options=options)

    @property
    def newest(self) -> int | None:
        """The iteration of the newest checkpoint."""
        return self._manager.latest_step()

    @property
    def all(self) -> list[int]:
        """The iterations of all checkpoints, in their order."""
        return sorted(self._manager.all_steps())

    def save(self, state: State, iteration: int) -> None:
        """Starts to write the state; `close` waits until it is on disk."""
        numbers = jax.tree.map(np.array, state)  # copied: the step gives up what it is handed
        self._manager.save(iteration, args=ocp.args.StandardSave(numbers))

    def restore(self, like: State, iteration: int) -> State:
        """The checkpoint of that iteration, as numpy arrays of the shapes of `like`."""
        shapes = jax.tree.map(np.asarray, like)
        return self._manager.restore(iteration, args=ocp.args.StandardRestore(shapes))

    def close(self) -> None:
        self._manager.close()
