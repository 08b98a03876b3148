"""What a state looks like from outside: read-only, so that looking never changes a training."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict
from jax import Array

from gcgan_jax.config import Config
from gcgan_jax.data import Images, twins_of
from gcgan_jax.draws import draw_latents, scale, streams
from gcgan_jax.gan import GAN, images_of
from gcgan_jax.state import State
from gcgan_jax.twins import structure


def make_sampler(config: Config, gan: GAN) -> Callable[[State, int], np.ndarray]:
    """sampler(state, n) -> uint8 [n, H, W, F], of always the same latents, by running averages."""

    @jax.jit
    @jax.default_matmul_precision(config.matmul_precision)
    def generate(state: State, positions: Array) -> Array:
        z = draw_latents(streams(config.seed).looking, positions, gan.latent_size)
        return images_of(gan, state.generator_variables, z)

    return lambda state, n: np.asarray(generate(state, jnp.arange(n)))


def make_figures(
    config: Config, gan: GAN, images: Images, sampler: Callable[[State, int], np.ndarray]
) -> Callable[[State], dict[str, float]]:
    """figures(state) -> name: value, measured on config.figure_images latents and real images.

    graph/<layer>/edges_at_distance_2   share of edges that end just outside the 3x3 window
    graph/<layer>/non_local_over_local  norm of one branch's output over the other's
    graph/<layer>/gamma                 mean edge attention (ECC)
    critic/train, critic/test           mean of D on training and on held-out images
    twins/diagonal_correlation, twins/other_correlation   structure of samples (twins)
    """
    n = config.figure_images
    real = {"train": jnp.asarray(images.train[:n]), "test": jnp.asarray(images.test[:n])}

    @jax.jit
    @jax.default_matmul_precision(config.matmul_precision)
    def measure(state: State) -> dict[str, Array]:
        found = {}
        for split, some in real.items():
            values = gan.critic.apply({"params": state.critic.params}, scale(some))
            found[f"critic/{split}"] = jnp.mean(values)
        if config.graph_blocks:
            z = draw_latents(streams(config.seed).looking, jnp.arange(n), gan.latent_size)
            _, reported = gan.generator.apply(
                state.generator_variables, z, train=True, mutable=["figures", "batch_stats"]
            )
            for path, (value,) in flatten_dict(reported["figures"]).items():
                found[f"graph/{path[0]}/{path[-1]}"] = value
        return found

    def figures(state: State) -> dict[str, float]:
        found = {name: float(value) for name, value in jax.device_get(measure(state)).items()}
        if config.data.name == "twins":
            measured = structure(sampler(state, n), twins_of(config))
            found |= {f"twins/{name}": value for name, value in measured.items()}
        return found

    return figures
