"""The state of a training: the variables and optimisers of both networks."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax.typing import VariableDict
from jax import Array

from gcgan_jax.gan.networks import GAN
from gcgan_jax.gan.optimizer import Optimizers


class NetworkState(NamedTuple):
    """Parameters, running statistics ({} if the network keeps none) and optimiser of a network."""

    params: VariableDict
    batch_stats: VariableDict
    optimizer: optax.OptState

    @property
    def variables(self) -> VariableDict:
        return {"params": self.params, "batch_stats": self.batch_stats}


class Models(NamedTuple):
    """What images are made of: variables of the generator and of its EMA ({} if none is kept)."""

    iteration: int
    generator: VariableDict
    ema: VariableDict


class State(NamedTuple):
    """Everything that training resumes from.

    Attributes:
        iteration: generator iterations done, [].
        ema: exponential moving average of the generator's variables; {} if none is kept.
    """

    iteration: Array
    generator: NetworkState
    critic: NetworkState
    ema: VariableDict

    @property
    def models(self) -> Models:
        return Models(int(self.iteration), self.generator.variables, self.ema)


def init_state(gan: GAN, optimizers: Optimizers, key: Array, *, ema: bool) -> State:
    """Fresh variables of both networks, which follow from `key` alone.

    Args:
        ema: whether an average of the generator is kept.
    """
    for_generator, for_critic = jax.random.split(key)
    keys = jax.random.split(key, 1)  # of one image, whose random graph changes no variable
    z, image = jnp.zeros((1, gan.latent_size)), jnp.zeros((1, *gan.image_shape))
    generator = _network(
        gan.generator.init(for_generator, z, keys, train=False), optimizers.generator
    )
    critic = _network(gan.critic.init(for_critic, image, keys), optimizers.critic)
    return State(
        iteration=jnp.zeros((), jnp.int32),
        generator=generator,
        critic=critic,
        ema=generator.variables if ema else {},
    )


def _network(variables: Any, optimizer: optax.GradientTransformation) -> NetworkState:
    batch_stats = jax.tree.map(
        lambda leaf: jnp.asarray(leaf, dtype=float), variables.get("batch_stats", {})
    )
    return NetworkState(variables["params"], batch_stats, optimizer.init(variables["params"]))
