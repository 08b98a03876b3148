"""The training state: variables and optimiser states of both networks."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax.typing import VariableDict
from jax import Array

from gcgan_jax.gan.networks import GAN
from gcgan_jax.gan.optimizer import Optimizers


class NetworkState(NamedTuple):
    """Parameters, running statistics ({} if it has none) and optimiser state of a network."""

    params: VariableDict
    batch_stats: VariableDict
    optimizer: optax.OptState

    @property
    def variables(self) -> VariableDict:
        return {"params": self.params, "batch_stats": self.batch_stats}


class Models(NamedTuple):
    """What sampling needs: variables of the generator and their EMA ({} if there is none)."""

    iteration: int
    generator: VariableDict
    ema: VariableDict


class State(NamedTuple):
    """Everything that training needs to resume.

    Attributes:
        iteration: completed generator iterations, [].
        ema: exponential moving average of the generator's variables; {} if there is none.
    """

    iteration: Array
    generator: NetworkState
    critic: NetworkState
    ema: VariableDict

    @property
    def models(self) -> Models:
        return Models(int(self.iteration), self.generator.variables, self.ema)


def init_state(gan: GAN, optimizers: Optimizers, key: Array, *, ema: bool) -> State:
    """Initialise both networks; the result depends only on `key`.

    Args:
        ema: whether to maintain an EMA of the generator.
    """
    generator_key, critic_key = jax.random.split(key)
    keys = jax.random.split(key, 1)  # for random graphs; they do not affect the variables
    z, image = jnp.zeros((1, gan.latent_size)), jnp.zeros((1, *gan.image_shape))
    generator = _init_network(
        gan.generator.init(generator_key, z, keys, train=False), optimizers.generator
    )
    critic = _init_network(gan.critic.init(critic_key, image, keys), optimizers.critic)
    return State(
        iteration=jnp.zeros((), jnp.int32),
        generator=generator,
        critic=critic,
        ema=generator.variables if ema else {},
    )


def _init_network(variables: Any, optimizer: optax.GradientTransformation) -> NetworkState:
    batch_stats = jax.tree.map(
        lambda leaf: jnp.asarray(leaf, dtype=float), variables.get("batch_stats", {})
    )
    return NetworkState(variables["params"], batch_stats, optimizer.init(variables["params"]))
