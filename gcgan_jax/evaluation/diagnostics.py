"""Read-only diagnostics of a training state: they never change a training."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict
from jax import Array

from gcgan_jax.data.pixels import scale
from gcgan_jax.data.twins import Twins, structure
from gcgan_jax.gan.networks import GAN
from gcgan_jax.gan.rng import critic_keys, draw_latents
from gcgan_jax.gan.sampler import Sampler
from gcgan_jax.gan.state import State


class Diagnostics:
    """diagnostics(state) -> name: value, measured on n latents and on real images.

    graph/<layer>/edges_at_distance_2   share of edges that end just outside the 3x3 window
    graph/<layer>/non_local_over_local  norm of one branch's output over the other's
    graph/<layer>/gamma                 mean edge attention (ECC)
    critic/<split>                      mean of D on real images of a split
    twins/diagonal_correlation, twins/other_correlation   structure of samples (twins)
    """

    def __init__(
        self,
        gan: GAN,
        sampler: Sampler,
        key: Array,
        real: Mapping[str, np.ndarray],
        n: int,
        twins: Twins | None,
    ) -> None:
        """
        Args:
            key: of the latents.
            real: uint8 [m, H, W, F] by split.
            twins: what the images look like, if they are procedural.
        """
        self._sampler, self._key, self._n, self._twins = sampler, key, n, twins
        on_device = {split: jnp.asarray(images) for split, images in real.items()}

        @jax.jit
        @jax.default_matmul_precision(gan.matmul_precision)
        def measure(state: State) -> dict[str, Array]:
            found: dict[str, Array] = {}
            for split, images in on_device.items():
                keys = critic_keys(key, jnp.arange(len(images)))
                values, reported = gan.critic.apply(
                    state.critic.variables, scale(images), keys, mutable=["diagnostics"]
                )
                found |= {f"critic/{split}": jnp.mean(values)} | _of_layers(reported)
            latents = draw_latents(key, jnp.arange(n), gan.latent_size)
            _, reported = gan.generator.apply(
                state.generator.variables,
                *latents,
                train=True,
                mutable=["diagnostics", "batch_stats"],
            )
            return found | _of_layers(reported)

        self._measure = measure

    def __call__(self, state: State) -> dict[str, float]:
        found = {n: float(value) for n, value in jax.device_get(self._measure(state)).items()}
        if self._twins:
            samples = self._sampler.first(state.generator.variables, self._key, self._n)
            measured = structure(samples, self._twins)
            found |= {f"twins/{name}": value for name, value in measured.items()}
        return found


def _of_layers(reported: Mapping) -> dict[str, Array]:
    """What graph layers have reported in the collection "diagnostics"."""
    values = flatten_dict(reported.get("diagnostics", {}))
    return {f"graph/{path[0]}/{path[-1]}": value for path, (value,) in values.items()}
