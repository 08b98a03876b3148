"""Checks that stop training at the first NaN or infinity."""

import math

import jax
import numpy as np

from gcgan_jax.errors import NotFiniteError
from gcgan_jax.gan.losses.loss import Metrics
from gcgan_jax.gan.state import State
from gcgan_jax.training.recorder import entries_of


def require_finite_metrics(iteration: int, metrics: Metrics, saved: int) -> None:
    """Raise NotFiniteError for the first metric of a call that is not finite.

    Args:
        iteration: the last iteration of the call.
        metrics: metrics of all iterations of the call, [iterations] each.
        saved: iteration of the latest checkpoint; 0: there is none.
    """
    for step, entry in entries_of(iteration, metrics).items():
        for name, value in entry.items():
            if not math.isfinite(value):
                raise _not_finite(f"{name} is {value}", step, saved)


def require_finite_state(state: State, saved: int) -> None:
    """Raise NotFiniteError for the first array of the state that is not finite."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(state):
        if not np.isfinite(leaf).all():
            name = jax.tree_util.keystr(path)
            raise _not_finite(f"state{name} is not finite", int(state.iteration), saved)


def _not_finite(what: str, iteration: int, saved: int) -> NotFiniteError:
    remains = (
        f"the checkpoint of iteration {saved} remains" if saved else "no checkpoint was written"
    )
    return NotFiniteError(f"stopped in iteration {iteration}: {what}; {remains}")
