"""How a gradient becomes an update: direction x learning rate."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array

from gcgan_jax.config import Optimizer


def make_direction(optimizer: Optimizer) -> optax.GradientTransformation:
    """g / (sqrt(v) + eps) of RMSprop (v_0 = 0, no momentum) or m / (sqrt(v) + eps) of Adam."""
    if optimizer.name == "adam":
        return optax.scale_by_adam(b1=optimizer.b1, b2=optimizer.b2, eps=optimizer.eps)
    return optax.scale_by_rms(decay=optimizer.b2, eps=optimizer.eps, eps_in_sqrt=False)


def linear_decay(learning_rate: float, iteration: Array, decay_iterations: int) -> Array:
    """learning_rate x (1 - iteration / decay_iterations), and 0 from there on."""
    return learning_rate * jnp.maximum(0, decay_iterations - iteration) / decay_iterations


def descend(params: Any, directions: Any, learning_rate: Array) -> Any:
    """params - learning_rate x directions."""
    return jax.tree.map(lambda p, d: p - learning_rate.astype(p.dtype) * d, params, directions)


def move_average(average: Any, values: Any, decay: float, iteration: Array) -> Any:
    """d x average + (1 - d) x values, d = min(decay, t / (t + 9)) after iteration t = 1, 2, ...

    The smaller d of the first iterations keeps what they start from from weighing long.
    """
    t = iteration.astype(jnp.result_type(float))
    d = jnp.minimum(decay, t / (t + 9))
    return jax.tree.map(
        lambda a, v: d.astype(a.dtype) * a + (1 - d).astype(a.dtype) * v, average, values
    )
