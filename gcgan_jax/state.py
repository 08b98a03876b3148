"""The state of a training: both players in one record."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array

from gcgan_jax.gan import GAN

Tree = Any


class Player(NamedTuple):
    params: Tree
    optimizer: optax.OptState


class State(NamedTuple):
    """`iteration` is the number of generator iterations done; `batch_stats` are the generator's."""

    iteration: Array  # []
    generator: Player
    critic: Player
    batch_stats: Tree


def init_state(gan: GAN, direction: optax.GradientTransformation, key: Array) -> State:
    """Fresh parameters of both players, which follow from `key` alone."""
    for_generator, for_critic = jax.random.split(key)
    variables = gan.generator.init(for_generator, jnp.zeros((1, gan.latent_size)), train=False)
    critic = gan.critic.init(for_critic, jnp.zeros((1, *gan.image_shape)))["params"]
    generator = variables["params"]
    return State(
        iteration=jnp.zeros((), jnp.int32),
        generator=Player(generator, direction.init(generator)),
        critic=Player(critic, direction.init(critic)),
        batch_stats=jax.tree.map(partial(jnp.asarray, dtype=float), variables["batch_stats"]),
    )
