"""Measures the graph layers of a trained generator in detail, for `--mode=ablate`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax.typing import VariableDict
from jax import Array

from gcgan_jax.commands.trained import EXAMPLE, Trained, load_preceding, load_state
from gcgan_jax.evaluation.layer_diagnostics import RECORDED, measure_layer
from gcgan_jax.experiment import Experiment
from gcgan_jax.gan.networks import GAN
from gcgan_jax.gan.rng import Latents
from gcgan_jax.gan.state import State
from gcgan_jax.graphs.geometry import chebyshev

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

Measures = dict[str, float | list[float]]


def measure_layers(experiment: Experiment, workdir: Path, trained: Trained) -> dict[str, Measures]:
    """Return measures by layer, on `config.diagnostic_images` samples, with running statistics.

    These are those of `measure_layer`, and
        edges_by_distance   share of edges of Chebyshev length 0, 1, 2, ... pixels
        chance_by_distance  the same for all pairs outside the 3x3 window
        gamma_quantiles     quantiles of the edge attention (ECC), at QUANTILES
        overlap             Jaccard index of the edges with those of the preceding checkpoint
        gradient_share      ||g_NL|| / (||g_NL|| + ||g_local||) of the generator loss's gradients
                            with respect to the parameters of both branches
    The last two need a run's checkpoints.
    """
    indices = range(experiment.config.diagnostic_images)
    latents, gan = trained.latents(indices), experiment.gan
    sown = record(gan, trained.variables, latents)
    measures: dict[str, Measures] = {}
    for layer, branches in sown["branches"].items():
        edges = sown.get("edges", {}).get(layer, {})
        scalars = jax.jit(measure_layer)(branches, edges)
        measures[layer] = {name: float(value) for name, value in scalars.items()}
        if "neighbours" in edges:
            measures[layer] |= edge_lengths(edges["neighbours"][0])
        gamma = edges.get("non_local", {}).get("gamma")
        if gamma:
            measures[layer]["gamma_quantiles"] = np.quantile(gamma[0], QUANTILES).tolist()
    if experiment.config.checkpoint != EXAMPLE:
        _add_training_measures(measures, experiment, workdir, latents, sown)
    return measures


def record(gan: GAN, variables: VariableDict, latents: Latents) -> dict[str, Any]:
    """Return what the graph layers sow into the collections RECORDED."""

    @jax.jit
    @jax.default_matmul_precision(gan.matmul_precision)
    def apply(variables: VariableDict, latents: Latents) -> VariableDict:
        return gan.generator.apply(variables, *latents, train=False, mutable=RECORDED)[1]

    return jax.device_get(apply(variables, latents))


def edge_lengths(neighbours: np.ndarray) -> Measures:
    """Return the shares of edges [B, N, k] by Chebyshev length, and those of all pairs."""
    N = neighbours.shape[1]
    side, nodes = round(N**0.5), np.arange(N)
    lengths = np.asarray(chebyshev(nodes[None, :, None], neighbours, side))
    pairs = np.asarray(chebyshev(nodes[:, None], nodes[None], side))
    counts = np.bincount(lengths.ravel(), minlength=side)
    chance = np.bincount(pairs[pairs > 1], minlength=side)
    return {
        "mean_edge_length": float(lengths.mean()),
        "mean_length_by_chance": float(pairs[pairs > 1].mean()),
        "edges_by_distance": (counts / counts.sum()).tolist(),
        "chance_by_distance": (chance / chance.sum()).tolist(),
    }


def _add_training_measures(
    measures: dict[str, Measures],
    experiment: Experiment,
    workdir: Path,
    latents: Latents,
    sown: Mapping[str, Any],
) -> None:
    state = load_state(experiment, workdir)
    gradients = generator_gradients(experiment.gan, state, latents)
    for layer, values in measures.items():
        norms = [
            float(optax.tree.norm(gradients[layer].get(branch, {})))
            for branch in ("non_local", "local")
        ]
        values["gradient_share"] = norms[0] / max(sum(norms), 1e-30)
    preceding = load_preceding(experiment, workdir, int(state.iteration))
    if preceding:
        edges = record(experiment.gan, preceding.generator.variables, latents).get("edges", {})
        for layer, before in edges.items():
            now = sown["edges"][layer]["neighbours"][0]
            measures[layer]["overlap"] = jaccard(now, before["neighbours"][0])


def generator_gradients(gan: GAN, state: State, latents: Latents) -> VariableDict:
    """Return the gradient of -E[D(G(z))] with respect to the generator's parameters."""

    @jax.jit
    @jax.default_matmul_precision(gan.matmul_precision)
    def gradients(params: VariableDict) -> VariableDict:
        def loss(params: VariableDict) -> Array:
            images, _ = gan.generate(state.generator._replace(params=params).variables, latents)
            return -jnp.mean(gan.apply_critic(state.critic.variables, images, latents.keys))

        return jax.grad(loss)(params)

    return gradients(state.generator.params)


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    """Return |A and B| / |A or B| of the edges [B, N, k] of two graphs, averaged over nodes."""
    both = np.array([len(set(i) & set(j)) for i, j in zip(_rows(a), _rows(b), strict=True)])
    either = np.array([len(set(i) | set(j)) for i, j in zip(_rows(a), _rows(b), strict=True)])
    return float(np.mean(both / either))


def _rows(edges: np.ndarray) -> list[list[int]]:
    return edges.reshape(-1, edges.shape[-1]).tolist()
