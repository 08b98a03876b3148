"""A supervised bench: can a graph layer use its neighbours, if nothing but them can help?

A network of two 3x3 convolutions, the graph layer and a 1x1 convolution removes noise from echo
images of white textures. Its local reach of 3 pixels is less than a cell, so that no local layer
sees a copy of a pixel, and a pixel of variance s^2 with noise of variance n^2 has at best the error

    s^2 n^2 / (s^2 + n^2)                  from itself,
    s^2 n^2 / ((m + 1) s^2 + n^2)          from itself and m true copies.

B images, N pixels, k neighbours.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax.typing import VariableDict
from jax import Array
from jaxtyping import Float, Int, Key, UInt8
from numpy import ndarray

from gcgan_jax.data.cells import AMPLITUDE
from gcgan_jax.data.echo import Echo
from gcgan_jax.data.pixels import scale
from gcgan_jax.experiment import Experiment
from gcgan_jax.gan.rng import draw_images, update_key
from gcgan_jax.layers.conv import Conv
from scripts.study.configured import make

POINTS = 12  # at which the error is measured
HELD_OUT = 256  # images that it is measured on
CHANNELS = 3

Edges = dict[str, Array]  # "indices" and, with weights, "weights", [B, N, k]; empty: no graph
Restore = Callable[[Array, Array], tuple[Array, Edges]]  # of noisy images and the keys of each


class Denoiser(nn.Module):
    """3x3 convolution, 3x3 convolution, graph layer, 1x1 convolution, with ReLUs between them."""

    features: int
    graph_conv: Callable[..., nn.Module]

    @nn.compact
    def __call__(
        self, x: Float[Array, "B H W 3"], keys: Key[Array, "B"]
    ) -> Float[Array, "B H W 3"]:
        for name in ("first", "second"):
            x = nn.relu(Conv(self.features, name=name)(x))
        x = nn.relu(self.graph_conv(self.features, name="graph")(x, keys))
        return nn.Dense(CHANNELS, param_dtype=float, name="to_image")(x)

    def restore(self, params: VariableDict) -> Restore:
        """Return the trained denoiser as a function."""

        def restore(noisy: Array, keys: Array) -> tuple[Array, Edges]:
            restored, sown = self.apply({"params": params}, noisy, keys, mutable=["edges"])
            found = sown.get("edges", {}).get("graph", {})
            names = {"indices": "neighbours", "weights": "weights"}
            return restored, {name: found[of][0] for name, of in names.items() if of in found}

        return restore


def measure(settings: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Train for config.num_iterations steps, and return the error on held-out images.

    Args:
        settings: those of a config, whose graph layer and optimiser are the generator's, and
            `features` of the denoiser and `noise`, the standard deviation of the noise.

    Returns:
        `mse`, its `curve`, its `bounds` from a pixel itself and with k copies, and with a graph
        `purity`, see there.
    """
    settings = dict(settings)
    features, noise = settings.pop("features"), settings.pop("noise")
    experiment = make(settings, seed)
    denoiser = Denoiser(features, experiment.gan.generator.graph_conv)
    held_out = experiment.load_images().test[:HELD_OUT]
    steps, errors = [], []
    for step, params in train(experiment, denoiser, noise):
        restored, edges = denoise(experiment, denoiser.restore(params), held_out, noise)
        steps.append(step)
        errors.append(covered_error(experiment.dataset, restored, held_out))
    result = {"mse": errors[-1], "curve": {"step": steps, "mse": errors}}
    return result | of_graph(experiment, seed, edges, noise)


def train(
    experiment: Experiment, denoiser: Denoiser, noise: float
) -> Iterator[tuple[int, VariableDict]]:
    """Yield the number of steps and the parameters at POINTS points."""
    config, optimizer = experiment.config, experiment.algorithm.optimizers.generator
    images = jnp.asarray(experiment.load_images().train)
    indices, training = jnp.arange(config.batch_size), experiment.keys.training
    covered = covered_side(experiment.dataset)

    @jax.jit
    def update(params: VariableDict, state: optax.OptState, step: Array) -> tuple:
        clean = draw_images(update_key(training, step, 0), indices, images)
        key = update_key(training, step, 1)
        noisy = clean + noise * jax.random.normal(key, clean.shape)

        def loss(params: VariableDict) -> Array:
            restored = denoiser.apply({"params": params}, noisy, image_keys(key, len(clean)))
            return jnp.mean((restored - clean)[:, :covered, :covered] ** 2)

        changes, state = optimizer.update(jax.grad(loss)(params), state, params)
        return optax.apply_updates(params, changes), state

    keys = image_keys(experiment.keys.parameters, 1)
    shape = jnp.zeros((1, *images.shape[1:]))
    params = jax.jit(denoiser.init)(experiment.keys.parameters, shape, keys)["params"]
    state, every = optimizer.init(params), max(1, config.num_iterations // POINTS)
    for step in range(1, config.num_iterations + 1):
        params, state = update(params, state, jnp.asarray(step))
        if step % every == 0 or step == config.num_iterations:
            yield step, params


def denoise(
    experiment: Experiment, restore: Restore, images: UInt8[ndarray, "n H W 3"], noise: float
) -> tuple[Float[ndarray, "n H W 3"], dict[str, ndarray]]:
    """Add noise to images and remove it; return them, and the graph's edges if there are any."""

    @jax.jit
    def apply(images: Array, key: Array) -> tuple[Array, Edges]:
        noisy = scale(images)
        noisy += noise * jax.random.normal(key, noisy.shape)
        return restore(noisy, image_keys(key, len(images)))

    size = experiment.config.batch_size
    parts = [
        jax.device_get(
            apply(images[i : i + size], jax.random.fold_in(experiment.keys.evaluation, i))
        )
        for i in range(0, len(images), size)
    ]
    restored, edges = zip(*parts, strict=True)
    joined = {name: np.concatenate([part[name] for part in edges]) for name in edges[0]}
    return np.concatenate(restored), joined


def of_graph(
    experiment: Experiment, seed: int, edges: Mapping[str, ndarray], noise: float
) -> dict[str, Any]:
    """Return the `purity` of a graph and the `bounds` for its k; nothing without edges."""
    if not edges:
        return {}
    count, _, k = edges["indices"].shape
    copies = true_copies(experiment.dataset, 2 * seed + 1, count)
    return {"purity": purity(copies, **edges), "bounds": [bound(noise, 0), bound(noise, k)]}


def image_keys(key: Key[Array, ""], count: int) -> Key[Array, "B"]:
    """Return the keys of images, for random graphs."""
    return jax.random.split(jax.random.fold_in(key, 1), count)


def covered_side(data: Echo) -> int:
    """Return the side of the part of an image that its cells cover."""
    return data.image_size // data.tile * data.tile


def covered_error(
    data: Echo, restored: Float[ndarray, "n H W 3"], images: UInt8[ndarray, "n H W 3"]
) -> float:
    """Return the mean squared error, without the black margin."""
    side = covered_side(data)
    difference = restored - np.asarray(scale(jnp.asarray(images)))
    return float(np.mean(np.square(difference[:, :side, :side]), dtype=np.float64))


def bound(noise: float, copies: int) -> float:
    """Return the error of the best estimate from a pixel and so many copies; see above."""
    signal, noise = AMPLITUDE**2, noise**2
    return signal * noise / ((copies + 1) * signal + noise)


def true_copies(data: Echo, seed: int, count: int) -> Int[ndarray, "{count} N"]:
    """Return a label for each pixel of the images of `data.draw`: copies of each other share it.

    It is -1 in the margin.
    """
    t, across = data.tile, data.image_size // data.tile
    kinds = data.layouts(seed, count).reshape(count, across, 1, across, 1)
    within = np.arange(t * t).reshape(1, 1, t, 1, t)
    labels = np.full((count, data.image_size, data.image_size), -1)
    side = covered_side(data)
    labels[:, :side, :side] = (kinds * t * t + within).reshape(count, side, side)
    return labels.reshape(count, -1)


def purity(
    labels: Int[ndarray, "n N"],
    indices: Int[ndarray, "n N k"],
    weights: Float[ndarray, "n N k"] | None = None,
) -> float:
    """Return the share of edges, or of their weights, that join a pixel to a true copy of it.

    Edges from the margin are left out, and those of a pixel to itself join no copy.
    """
    of_image = np.arange(len(labels))[:, None, None]
    copies = labels[of_image, indices] == labels[:, :, None]
    copies &= indices != np.arange(labels.shape[1])[:, None]
    inside = labels >= 0
    return float(np.average(copies[inside], weights=None if weights is None else weights[inside]))
