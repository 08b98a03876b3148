"""Read-only diagnostics of a training state; they do not affect training."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict
from jax import Array

from gcgan_jax.data.images import Dataset, Structured
from gcgan_jax.data.pixels import scale
from gcgan_jax.evaluation.layer_diagnostics import RECORDED, measure_layer
from gcgan_jax.gan.networks import GAN
from gcgan_jax.gan.rng import critic_keys, draw_latents
from gcgan_jax.gan.sampler import Sampler
from gcgan_jax.gan.state import State


class Diagnostics:
    """diagnostics(state) -> value by name, measured on n samples and on real images.

    graph/<layer>/edges_at_distance_2   fraction of edges that end just outside the 3x3 window
    graph/<layer>/non_local_over_local  ratio of the norms of both branches' outputs
    graph/<layer>/gamma                 mean edge attention (ECC)
    graph/<layer>/gate, scale           learned factor of the non-local branch (mean |scale|)
    graph/<layer>/...                   see `measure_layer`; with running statistics
    critic/<split>                      mean of D on real images of a split
    <data set>/<name>                   structure of samples, if the data set can measure it

    Attributes:
        measure: compiled function of the state that returns all of these but the last.
    """

    def __init__(
        self,
        gan: GAN,
        sampler: Sampler,
        key: Array,
        real: Mapping[str, np.ndarray],
        n: int,
        name: str,
        dataset: Dataset,
    ) -> None:
        """
        Args:
            key: key of the latents.
            real: real images by split, uint8 [m, H, W, F].
            n: number of samples.
            name, dataset: the data set and its name.
        """
        self._sampler, self._key, self._n = sampler, key, n
        self._name, self._dataset = name, dataset
        on_device = {split: jnp.asarray(images) for split, images in real.items()}

        @jax.jit
        @jax.default_matmul_precision(gan.matmul_precision)
        def measure(state: State) -> dict[str, Array]:
            diagnostics: dict[str, Array] = {}
            for split, images in on_device.items():
                keys = critic_keys(key, jnp.arange(len(images)))
                values, sown = gan.critic.apply(
                    state.critic.variables, scale(images), keys, mutable=["diagnostics", *RECORDED]
                )
                diagnostics |= {f"critic/{split}": jnp.mean(values)} | _layer_diagnostics(sown)
                diagnostics |= _layer_measures(sown)
            latents = draw_latents(key, jnp.arange(n), gan.latent_size)
            _, sown = gan.generator.apply(
                state.generator.variables,
                *latents,
                train=True,
                mutable=["diagnostics", "batch_stats"],
            )
            diagnostics |= _layer_diagnostics(sown)
            _, sown = gan.generator.apply(
                state.generator.variables, *latents, train=False, mutable=RECORDED
            )
            return diagnostics | _layer_measures(sown)

        self.measure = measure

    def __call__(self, state: State) -> dict[str, float]:
        measured = jax.device_get(self.measure(state))
        diagnostics = {name: float(value) for name, value in measured.items()}
        if isinstance(self._dataset, Structured):
            samples = self._sampler.first(state.generator.variables, self._key, self._n)
            structure = self._dataset.structure(samples)
            diagnostics |= {f"{self._name}/{name}": value for name, value in structure.items()}
        return diagnostics


def _layer_diagnostics(sown: Mapping) -> dict[str, Array]:
    """Collect what graph layers sowed into the collection "diagnostics"."""
    values = flatten_dict(sown.get("diagnostics", {}))
    return {f"graph/{path[0]}/{path[-1]}": value for path, (value,) in values.items()}


def _layer_measures(sown: Mapping) -> dict[str, Array]:
    """Measure what graph layers sowed into the collections RECORDED."""
    return {
        f"graph/{layer}/{name}": value
        for layer, branches in sown.get("branches", {}).items()
        for name, value in measure_layer(branches, sown.get("edges", {}).get(layer, {})).items()
    }
