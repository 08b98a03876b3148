"""Checkpoints of the training state, by Orbax, under <workdir>/checkpoints."""

from pathlib import Path

import jax
import orbax.checkpoint as ocp

from gcgan_jax.state import State


class Checkpoints:
    """The newest few states of a run, written in the background."""

    def __init__(self, workdir: Path, keep: int) -> None:
        options = ocp.CheckpointManagerOptions(max_to_keep=keep)
        self._manager = ocp.CheckpointManager((workdir / "checkpoints").absolute(), options=options)

    @property
    def newest(self) -> int | None:
        """The iteration of the newest checkpoint."""
        return self._manager.latest_step()

    def save(self, state: State, iteration: int) -> None:
        """Starts to write the state; `close` waits until it is on disk."""
        self._manager.save(iteration, args=ocp.args.StandardSave(state))

    def restore(self, like: State) -> State:
        """The newest checkpoint, placed on the devices as `like` is."""
        abstract = jax.tree.map(ocp.utils.to_shape_dtype_struct, like)
        return self._manager.restore(self.newest, args=ocp.args.StandardRestore(abstract))

    def close(self) -> None:
        self._manager.close()
