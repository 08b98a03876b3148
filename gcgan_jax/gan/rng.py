"""Everything random.

What training draws follows from (seed, iteration, update, position in the global batch) alone, so
neither the number of devices nor a stop changes it.

B images of a batch, n images of the data set.
"""

from typing import NamedTuple

import jax
from jax import Array
from jaxtyping import Float, Int, Key, UInt8

from gcgan_jax.arrays import AnyArray
from gcgan_jax.data.pixels import scale


class RunKeys(NamedTuple):
    """Keys of independent random numbers: parameters, training, latents to look at and to score."""

    parameters: Key[Array, ""]
    training: Key[Array, ""]
    samples: Key[Array, ""]
    evaluation: Key[Array, ""]


def run_keys(seed: int) -> RunKeys:
    return RunKeys(*jax.random.split(jax.random.key(seed), 4))


class Latents(NamedTuple):
    """What images are made of."""

    z: Float[Array, "B size"]  # standard normal
    keys: Key[Array, "B"]  # of whatever else the generator draws for an image


def update_key(
    training: Key[Array, ""], iteration: Int[Array, ""] | int, update: Int[Array, ""] | int
) -> Key[Array, ""]:
    """Key of one update: 0 to n_critic - 1 are the critic's, n_critic is the generator's."""
    return jax.random.fold_in(jax.random.fold_in(training, iteration), update)


def draw_latents(key: Key[Array, ""], positions: Int[AnyArray, "B"], size: int) -> Latents:
    """Latents of `size` numbers."""
    keys = _keys(key, 0, positions)
    z = jax.vmap(lambda key: jax.random.normal(key, (size,), float))(keys)
    return Latents(z, _keys(key, 3, positions))


def draw_images(
    key: Key[Array, ""], positions: Int[AnyArray, "B"], images: UInt8[Array, "n *image"]
) -> Float[Array, "B *image"]:
    """Images drawn with replacement, scaled to [-1, 1]."""
    keys = _keys(key, 1, positions)
    index = jax.vmap(lambda key: jax.random.randint(key, (), 0, len(images)))(keys)
    return scale(images[index])


def loss_keys(key: Key[Array, ""], positions: Int[AnyArray, "B"]) -> Key[Array, "B"]:
    """Keys of what a loss draws for each image."""
    return _keys(key, 2, positions)


def critic_keys(key: Key[Array, ""], positions: Int[AnyArray, "B"]) -> Key[Array, "B"]:
    """Keys of what the critic draws for each image."""
    return _keys(key, 4, positions)


def layer_keys(keys: Key[Array, "B"] | None, layer: int) -> Key[Array, "B"] | None:
    """Keys of a layer, by its number, from its network's, if these are given."""
    return None if keys is None else jax.vmap(jax.random.fold_in, (0, None))(keys, layer)


def draw_mix(keys: Key[Array, "B"]) -> Float[Array, "B"]:
    """The gradient penalty's epsilon ~ U[0, 1]."""
    return jax.vmap(lambda key: jax.random.uniform(key, (), float))(keys)


def _keys(key: Key[Array, ""], quantity: int, positions: Int[AnyArray, "B"]) -> Key[Array, "B"]:
    return jax.vmap(jax.random.fold_in, (None, 0))(jax.random.fold_in(key, quantity), positions)
