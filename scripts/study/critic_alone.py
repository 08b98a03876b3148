"""A critic alone, without a generator: does it see that distant cells of an image agree?

It is trained by its own loss to tell echo images from images of independent cells.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax.typing import VariableDict
from jax import Array
from jaxtyping import Float, UInt8
from numpy import ndarray

from gcgan_jax.data.cells import draw_cells, texture_basis
from gcgan_jax.data.echo import Echo
from gcgan_jax.data.far_echo import FarEcho
from gcgan_jax.data.pixels import scale
from gcgan_jax.experiment import Experiment
from gcgan_jax.gan.rng import critic_keys, draw_images, loss_keys, update_key
from scripts.study.configured import make

POINTS = 6  # at which d' is measured
INDEPENDENT_SEED = 10**6  # offset of the seeds of images of independent cells


def measure(settings: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Train a critic for config.num_iterations updates, and return its d' on held-out images."""
    experiment = make(settings, seed)
    images = experiment.load_images()
    fake = [
        independent_cells(experiment.dataset, INDEPENDENT_SEED + 2 * seed + i, len(split))
        for i, split in enumerate(images)
    ]
    updates, d_primes = [], []
    for update, critic in train(experiment, images.train, fake[0]):
        updates.append(update)
        d_primes.append(d_prime(*(values(experiment, critic, x) for x in (images.test, fake[1]))))
    return {"d_prime": d_primes[-1], "curve": {"update": updates, "d_prime": d_primes}}


def independent_cells(data: Echo | FarEcho, seed: int, count: int) -> UInt8[ndarray, "n H H 3"]:
    """Draw images like those of a data set, but with a texture of its own in each cell."""
    basis = texture_basis(data.dims, data.tile)
    cells = draw_cells(np.random.default_rng(seed), count, data.grid.cells, basis)
    return data.grid.join(cells)


def train(
    experiment: Experiment, real: UInt8[ndarray, "n H H 3"], fake: UInt8[ndarray, "m H H 3"]
) -> Iterator[tuple[int, VariableDict]]:
    """Yield the number of updates and the critic's variables at POINTS points."""
    config, algorithm = experiment.config, experiment.algorithm
    gan, optimizer = algorithm.gan, algorithm.optimizers.critic
    real, fake = jnp.asarray(real), jnp.asarray(fake)
    indices = jnp.arange(config.batch_size)

    @jax.jit
    def step(params: VariableDict, state: optax.OptState, update: Array) -> tuple:
        keys = [update_key(experiment.keys.training, update, i) for i in (0, 1)]
        batches = [draw_images(key, indices, x) for key, x in zip(keys, (real, fake), strict=True)]
        mix = loss_keys(keys[0], indices)

        def loss(params: VariableDict) -> Array:
            def critic(x: Array) -> Array:
                return gan.apply_critic({"params": params}, x, critic_keys(keys[0], indices))

            return algorithm.loss.critic_loss(critic, *batches, mix, update)[0]

        changes, state = optimizer.update(jax.grad(loss)(params), state, params)
        return optax.apply_updates(params, changes), state

    keys = critic_keys(experiment.keys.parameters, jnp.arange(1))
    image = jnp.zeros((1, *gan.image_shape))
    params = jax.jit(gan.critic.init)(experiment.keys.parameters, image, keys)["params"]
    state, every = optimizer.init(params), max(1, config.num_iterations // POINTS)
    for update in range(1, config.num_iterations + 1):
        params, state = step(params, state, jnp.asarray(update))
        if update % every == 0 or update == config.num_iterations:
            yield update, {"params": params}


def values(
    experiment: Experiment, critic: VariableDict, images: UInt8[ndarray, "n H H 3"]
) -> Float[ndarray, "n"]:
    """Return D of all images."""
    gan, size = experiment.gan, experiment.config.batch_size
    keys = critic_keys(experiment.keys.evaluation, jnp.arange(size))
    apply = jax.jit(lambda x, keys: gan.apply_critic(critic, scale(x), keys))
    parts = [jnp.asarray(images[i : i + size]) for i in range(0, len(images), size)]
    return np.concatenate([apply(part, keys[: len(part)]) for part in parts])


def d_prime(real: Float[ndarray, "n"], fake: Float[ndarray, "m"]) -> float:
    """Return (mean(real) - mean(fake)) / sqrt((var(real) + var(fake)) / 2)."""
    spread = np.sqrt((np.var(real, ddof=1) + np.var(fake, ddof=1)) / 2)
    return float((np.mean(real) - np.mean(fake)) / spread)
