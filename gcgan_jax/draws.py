"""Everything random.

What training draws follows from (seed, iteration, update, position in the global batch) alone, so
neither the number of devices nor a stop changes it.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array


class Streams(NamedTuple):
    """Keys of independent random numbers: parameters, training, latents to look at and to score."""

    parameters: Array
    training: Array
    looking: Array
    scoring: Array


def streams(seed: int) -> Streams:
    return Streams(*jax.random.split(jax.random.key(seed), 4))


def update_key(training: Array, iteration: Array, update: Array | int) -> Array:
    """Key of one update: 0 to n_critic - 1 are the critic's, n_critic is the generator's."""
    return jax.random.fold_in(jax.random.fold_in(training, iteration), update)


def draw_latents(key: Array, positions: Array, size: int) -> Array:
    """Standard normal latents: positions [B] -> [B, size]."""
    keys = _keys(key, 0, positions)
    return jax.vmap(lambda key: jax.random.normal(key, (size,), float))(keys)


def draw_images(key: Array, positions: Array, images: Array) -> Array:
    """Images drawn with replacement, scaled to [-1, 1]: uint8 [n, ...] -> [B, ...]."""
    keys = _keys(key, 1, positions)
    index = jax.vmap(lambda key: jax.random.randint(key, (), 0, len(images)))(keys)
    return scale(images[index])


def draw_mix(key: Array, positions: Array) -> Array:
    """The gradient penalty's epsilon ~ U[0, 1]: positions [B] -> [B]."""
    return jax.vmap(lambda key: jax.random.uniform(key, (), float))(_keys(key, 2, positions))


def scale(images: Array) -> Array:
    """uint8 in 0 ... 255 to floats in -1 ... 1."""
    return images.astype(jnp.result_type(float)) / 127.5 - 1


def _keys(key: Array, quantity: int, positions: Array) -> Array:
    return jax.vmap(jax.random.fold_in, (None, 0))(jax.random.fold_in(key, quantity), positions)
