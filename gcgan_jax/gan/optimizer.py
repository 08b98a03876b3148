"""RMSprop and Adam with a linearly decaying learning rate, and the EMA; all based on optax."""

from dataclasses import dataclass
from typing import Any, cast

import jax.numpy as jnp
import optax
from flax.typing import VariableDict
from jax import Array
from jaxtyping import Int


@dataclass(frozen=True)
class Optimizers:
    """The optimizer of each network, and their learning rate as a function of the iteration."""

    generator: optax.GradientTransformation
    critic: optax.GradientTransformation
    learning_rate: optax.Schedule


def make_optimizers(
    name: str,
    learning_rate: float,
    *,
    decay_iterations: int,
    n_critic: int,
    b1: float,
    b2: float,
    eps: float,
) -> Optimizers:
    """Make RMSprop, -r g / (sqrt(v) + eps) with v_0 = 0, or Adam, -r m / (sqrt(v) + eps).

    r = learning_rate x (1 - t / decay_iterations) in generator iteration t = 0, 1, ..., and 0 from
    decay_iterations on. The n_critic critic updates of an iteration use the same rate.

    Args:
        name: "rmsprop", with decay b2 of v; or "adam", with decays b1 of m and b2 of v.
    """

    def make(schedule: optax.Schedule) -> optax.GradientTransformation:
        if name == "adam":
            return optax.adam(schedule, b1, b2, eps)
        return optax.rmsprop(schedule, decay=b2, eps=eps, eps_in_sqrt=False)

    by_iteration = optax.linear_schedule(learning_rate, 0, decay_iterations)

    def by_critic_update(count: Any) -> Any:
        return by_iteration(count // n_critic)

    return Optimizers(make(by_iteration), make(by_critic_update), by_iteration)


def update_ema(
    ema: VariableDict, values: VariableDict, decay: float, iteration: Int[Array, ""]
) -> VariableDict:
    """Return d x ema + (1 - d) x values, d = min(decay, t / (t + 9)) after iteration t = 1, 2, ...

    The smaller d of early iterations lets the EMA forget its initial value.
    """
    t = iteration.astype(jnp.result_type(float))
    updated = optax.incremental_update(values, ema, 1 - jnp.minimum(decay, t / (t + 9)))
    return cast(VariableDict, updated)
