"""Checks that stop a training at the first NaN or infinity."""

import math

import jax
import numpy as np

from gcgan_jax.errors import NotFiniteError
from gcgan_jax.gan.losses import Metrics
from gcgan_jax.gan.state import State
from gcgan_jax.training.recorder import entries_of


def require_finite_metrics(iteration: int, metrics: Metrics, saved: int) -> None:
    """Raises NotFiniteError for the first metric, up to this iteration, that is not finite.

    Args:
        metrics: of the iterations up to this one, [iterations] each.
        saved: iteration of the latest checkpoint; 0: there is none.
    """
    for step, entry in entries_of(iteration, metrics).items():
        for name, value in entry.items():
            if not math.isfinite(value):
                raise _not_finite(f"{name} is {value}", step, saved)


def require_finite_state(state: State, saved: int) -> None:
    """Raises NotFiniteError for the first array of the state that is not finite."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(state):
        if not np.isfinite(leaf).all():
            name = jax.tree_util.keystr(path)
            raise _not_finite(f"state{name} is not finite", int(state.iteration), saved)


def _not_finite(what: str, iteration: int, saved: int) -> NotFiniteError:
    remains = (
        f"the checkpoint of iteration {saved} remains" if saved else "no checkpoint was written"
    )
    return NotFiniteError(f"stopped in iteration {iteration}: {what}; {remains}")
