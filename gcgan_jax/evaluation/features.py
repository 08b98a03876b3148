"""Features of many images, streamed through a network on all devices of this process."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import Array

from gcgan_jax.evaluation.networks import Network
from gcgan_jax.gan.sampler import Batch
from gcgan_jax.runtime.devices import replicate
from gcgan_jax.runtime.progress import image_progress


class Features(NamedTuple):
    features: np.ndarray  # [n, F]
    logits: np.ndarray  # [n, C]


def make_extractor(
    network: Network, devices: Sequence[jax.Device]
) -> Callable[[Iterable[Batch], int], Features]:
    """extract(batches, n) -> features and logits of the first n images.

    Batches are uint8 [devices, images of each, H, W, 3], all of one shape. Products are exact to
    float32 everywhere: by default a TPU rounds their factors to bfloat16.
    """
    variables = replicate(network.variables, devices)

    @partial(jax.pmap, in_axes=(None, 0), devices=devices)
    @jax.default_matmul_precision("highest")
    def apply(variables: Any, images: Any) -> tuple[Array, Array]:
        return network.apply(variables, images)

    def extract(batches: Iterable[Batch], n: int) -> Features:
        fetched: list[tuple[np.ndarray, np.ndarray]] = []
        pending = None
        for images in image_progress(batches, n):
            current = apply(variables, images)
            if pending is not None:
                fetched.append(jax.device_get(pending))  # while the current batch is computed
            pending = current
        if pending is None:
            return Features(np.empty((0, 0)), np.empty((0, 0)))
        fetched.append(jax.device_get(pending))
        features, logits = zip(*fetched, strict=True)
        return Features(_first(features, n), _first(logits, n))

    return extract


def _first(batches: Sequence[np.ndarray], n: int) -> np.ndarray:
    """[devices, images of each, F] of each batch -> [n, F]."""
    return np.concatenate([batch.reshape(-1, batch.shape[-1]) for batch in batches])[:n]


def in_batches(images: np.ndarray, batch_size: int, devices: int) -> Iterator[np.ndarray]:
    """uint8 [n, H, W, 3] as [devices, batch_size / devices, H, W, 3], the last filled up."""
    for start in range(0, len(images), batch_size):
        filled = np.zeros((batch_size, *images.shape[1:]), images.dtype)
        part = images[start : start + batch_size]
        filled[: len(part)] = part
        yield filled.reshape(devices, -1, *images.shape[1:])
