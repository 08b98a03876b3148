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
    """Everything that a training goes on with.

    Attributes:
        iteration: generator iterations done, [].
        batch_stats: the generator's running averages.
        average: of the generator's variables over iterations; {} if none is kept.
    """

    iteration: Array
    generator: Player
    critic: Player
    batch_stats: Tree
    average: Tree

    @property
    def generator_variables(self) -> Tree:
        return {"params": self.generator.params, "batch_stats": self.batch_stats}


def init_state(
    gan: GAN, direction: optax.GradientTransformation, key: Array, *, averaged: bool = False
) -> State:
    """Fresh parameters of both players, which follow from `key` alone.

    Args:
        averaged: whether the generator's average is kept.
    """
    for_generator, for_critic = jax.random.split(key)
    variables = gan.generator.init(for_generator, jnp.zeros((1, gan.latent_size)), train=False)
    critic = gan.critic.init(for_critic, jnp.zeros((1, *gan.image_shape)))["params"]
    generator = variables["params"]
    batch_stats = jax.tree.map(partial(jnp.asarray, dtype=float), variables["batch_stats"])
    fresh = {"params": generator, "batch_stats": batch_stats}
    return State(
        iteration=jnp.zeros((), jnp.int32),
        generator=Player(generator, direction.init(generator)),
        critic=Player(critic, direction.init(critic)),
        batch_stats=batch_stats,
        average=fresh if averaged else {},
    )
