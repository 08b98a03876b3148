"""What the bench's task allows without any training: non-local means of the k nearest windows.

The neighbours of pixel i are the k whose noisy w x w windows are nearest to its own, at the mean
squared difference d_ij, outside its 3x3 window. Of noisy pixels y with signal and noise variances
s^2 and n^2 (Buades et al. 2005, A non-local algorithm for image denoising),

    w_ij = exp(-max(d_ij - 2 n^2, 0) / h),  m_i = 1 + sum_j w_ij,
    x_i = s^2 / (s^2 + n^2 / m_i) (y_i + sum_j w_ij y_j) / m_i.

n images, k neighbours.
"""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Int32

from gcgan_jax.data.cells import AMPLITUDE
from gcgan_jax.graphs.gather import edge_distances
from gcgan_jax.graphs.knn import knn
from gcgan_jax.operators.aggregate import aggregate
from scripts.study.bench import HELD_OUT, Edges, covered_error, denoise, of_graph
from scripts.study.configured import make


def measure(settings: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Return the error on held-out images, its bounds, and the graph's purity; see `bench`.

    Args:
        settings: those of a config, the side `window`, the number `k`, the `bandwidth` h and
            `noise`, the standard deviation of the noise.
    """
    settings = dict(settings)
    window, k, bandwidth, noise = map(settings.pop, ("window", "k", "bandwidth", "noise"))
    experiment = make(settings, seed)
    images = experiment.load_images().test[:HELD_OUT]

    def restore(noisy: Array, keys: Array) -> tuple[Array, Edges]:
        restored, neighbours = non_local_means(noisy, window, k, bandwidth, noise)
        return restored, {"indices": neighbours}

    restored, edges = denoise(experiment, restore, images, noise)
    error = covered_error(experiment.dataset, restored, images)
    return {"mse": error} | of_graph(experiment, seed, edges, noise)


def non_local_means(
    y: Float[Array, "n H W F"], window: int, k: int, bandwidth: float, noise: float
) -> tuple[Float[Array, "n H W F"], Int32[Array, "n N k"]]:
    """Return the restored images and the neighbours of their pixels."""
    n, *_, F = y.shape
    w = windows(y, window)
    neighbours = knn(w, k)
    w, pixels = w.reshape(n, -1, window**2 * F), y.reshape(n, -1, F)
    d = edge_distances(w, w, neighbours) / w.shape[-1]
    weights = jnp.exp(-jnp.maximum(d - 2 * noise**2, 0) / bandwidth)
    m = 1 + weights.sum(axis=2)[..., None]
    mean = (pixels + aggregate(pixels, neighbours, jnp.eye(F), weights)) / m
    return (AMPLITUDE**2 / (AMPLITUDE**2 + noise**2 / m) * mean).reshape(y.shape), neighbours


def windows(x: Float[Array, "n H W F"], side: int) -> Float[Array, "n H W S"]:
    """Return the side x side window around each pixel, with zeros outside the image."""
    _, H, W, _ = x.shape
    r = side // 2
    padded = jnp.pad(x, ((0, 0), (r, r), (r, r), (0, 0)))
    shifts = [(i, j) for i in range(side) for j in range(side)]
    return jnp.concatenate([padded[:, i : i + H, j : j + W] for i, j in shifts], axis=-1)
