"""Training on one device until a number is not finite, for scripts that ask whether it stays so."""

from dataclasses import dataclass

import jax
import numpy as np
from numpy import ndarray

from gcgan_jax.data.images import Images
from gcgan_jax.errors import NotFiniteError
from gcgan_jax.experiment import Experiment
from gcgan_jax.gan.state import State
from gcgan_jax.runtime.devices import device_indices, local_copy, replicate
from gcgan_jax.training.finite import require_finite_metrics, require_finite_state


@dataclass(frozen=True)
class Trained:
    """What a training came to.

    Attributes:
        state: its last state.
        metrics: each metric of all its iterations.
        iterations: those before the call in which a metric was not finite.
        error: what was not finite; "": nothing.
    """

    state: State
    metrics: dict[str, ndarray]
    iterations: int
    error: str


def train(experiment: Experiment, images: Images, iterations: int) -> Trained:
    """Train for so many iterations, a multiple of those per call, or until one is not finite."""
    devices = jax.devices()[:1]
    pixels = replicate(images.train.reshape(len(images.train), -1), devices)
    state = replicate(experiment.init_state(), devices)
    step, per_call = experiment.train_step(devices), experiment.config.iterations_per_call
    done, calls, error = 0, list[dict[str, ndarray]](), ""
    try:
        while done < iterations:
            state, metrics = step(state, pixels, device_indices(devices))
            calls.append(jax.device_get(metrics))
            require_finite_metrics(done + per_call, calls[-1], 0)
            done += per_call
        require_finite_state(local_copy(state), 0)
    except NotFiniteError as stopped:
        error = str(stopped)
    metrics = {name: np.concatenate([call[name] for call in calls]) for name in calls[0]}
    return Trained(local_copy(state), metrics, done, error)
