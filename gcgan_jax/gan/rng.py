"""Random number generation.

All random numbers of training depend only on (seed, iteration, update, index in the global batch),
so neither the number of devices nor a restart changes them.

B images of a batch, n images of the data set.
"""

from typing import NamedTuple

import jax
from jax import Array
from jaxtyping import Float, Int, Key, UInt8

from gcgan_jax.arrays import AnyArray
from gcgan_jax.data.pixels import scale


class RunKeys(NamedTuple):
    """Independent keys for initial parameters, training, sample latents and evaluation latents."""

    parameters: Key[Array, ""]
    training: Key[Array, ""]
    samples: Key[Array, ""]
    evaluation: Key[Array, ""]


def run_keys(seed: int) -> RunKeys:
    """Derive all keys of a run from its seed."""
    return RunKeys(*jax.random.split(jax.random.key(seed), 4))


class Latents(NamedTuple):
    """Random inputs of the generator.

    Attributes:
        z: standard normal latents.
        keys: one key per image, for random layers of the generator.
    """

    z: Float[Array, "B size"]
    keys: Key[Array, "B"]


def update_key(
    training: Key[Array, ""], iteration: Int[Array, ""] | int, update: Int[Array, ""] | int
) -> Key[Array, ""]:
    """Return the key of an update: 0 to n_critic - 1 are the critic's, n_critic the generator's."""
    return jax.random.fold_in(jax.random.fold_in(training, iteration), update)


def draw_latents(key: Key[Array, ""], indices: Int[AnyArray, "B"], size: int) -> Latents:
    """Draw the latents of these indices, of `size` numbers each."""
    keys = _image_keys(key, 0, indices)
    z = jax.vmap(lambda key: jax.random.normal(key, (size,), float))(keys)
    return Latents(z, _image_keys(key, 3, indices))


def draw_images(
    key: Key[Array, ""], indices: Int[AnyArray, "B"], images: UInt8[Array, "n *image"]
) -> Float[Array, "B *image"]:
    """Draw images with replacement and scale them to [-1, 1]."""
    return scale(images[draw_choices(key, indices, len(images))])


def draw_choices(key: Key[Array, ""], indices: Int[AnyArray, "B"], n: int) -> Int[Array, "B"]:
    """Draw which of n images a batch consists of."""
    keys = _image_keys(key, 1, indices)
    return jax.vmap(lambda key: jax.random.randint(key, (), 0, n))(keys)


def loss_keys(key: Key[Array, ""], indices: Int[AnyArray, "B"]) -> Key[Array, "B"]:
    """Return the loss's key for each image."""
    return _image_keys(key, 2, indices)


def critic_keys(key: Key[Array, ""], indices: Int[AnyArray, "B"]) -> Key[Array, "B"]:
    """Return the critic's key for each image."""
    return _image_keys(key, 4, indices)


def noise_keys(key: Key[Array, ""], indices: Int[AnyArray, "B"]) -> Key[Array, "B"]:
    """Return the instance noise's key for each image."""
    return _image_keys(key, 5, indices)


def layer_keys(keys: Key[Array, "B"] | None, layer: int) -> Key[Array, "B"] | None:
    """Derive the keys of a layer, by its index, from those of its network (None: None)."""
    return None if keys is None else jax.vmap(jax.random.fold_in, (0, None))(keys, layer)


def draw_mix(keys: Key[Array, "B"]) -> Float[Array, "B"]:
    """Draw the gradient penalty's epsilon ~ U[0, 1]."""
    return jax.vmap(lambda key: jax.random.uniform(key, (), float))(keys)


def _image_keys(key: Key[Array, ""], purpose: int, indices: Int[AnyArray, "B"]) -> Key[Array, "B"]:
    return jax.vmap(jax.random.fold_in, (None, 0))(jax.random.fold_in(key, purpose), indices)
