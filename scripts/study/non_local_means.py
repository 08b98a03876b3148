"""What the bench's task allows without any training: non-local means of the k nearest windows.

The neighbours of pixel i are the k whose noisy w x w windows are nearest to its own, at the mean
squared difference d_ij, outside its 3x3 window. Of noisy pixels y with signal and noise variances
s^2 and n^2 (Buades et al. 2005, A non-local algorithm for image denoising),

    w_ij = exp(-max(d_ij - 2 n^2, 0) / h),  m_i = 1 + sum_j w_ij,
    x_i = s^2 / (s^2 + n^2 / m_i) (y_i + sum_j w_ij y_j) / m_i.

n images, k neighbours.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int32

from gcgan_jax.data.cells import AMPLITUDE
from gcgan_jax.data.pixels import scale
from gcgan_jax.graphs.gather import edge_distances
from gcgan_jax.graphs.knn import knn
from gcgan_jax.operators.aggregate import aggregate
from scripts.study.bench import HELD_OUT, bound, covered_error, purity, true_copies
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
    restore = jax.jit(
        partial(non_local_means, window=window, k=k, bandwidth=bandwidth, noise=noise)
    )
    size, key = experiment.config.batch_size, experiment.keys.evaluation
    restored, indices = [], []
    for i in range(0, len(images), size):
        clean = scale(jnp.asarray(images[i : i + size]))
        noisy = clean + noise * jax.random.normal(jax.random.fold_in(key, i), clean.shape)
        x, neighbours = restore(noisy)
        restored.append(np.asarray(x))
        indices.append(np.asarray(neighbours))
    copies = true_copies(experiment.dataset, 2 * seed + 1, len(images))
    return {
        "mse": covered_error(experiment.dataset, np.concatenate(restored), images),
        "purity": purity(copies, np.concatenate(indices)),
        "bounds": [bound(noise, 0), bound(noise, k)],
    }


def non_local_means(
    y: Float[Array, "n H W F"], window: int, k: int, bandwidth: float, noise: float
) -> tuple[Float[Array, "n H W F"], Int32[Array, "n N k"]]:
    """Return the restored images and the neighbours of their pixels."""
    n, *_, F = y.shape
    neighbours = knn(windows(y, window), k)
    w, pixels = windows(y, window).reshape(n, -1, window**2 * F), y.reshape(n, -1, F)
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
