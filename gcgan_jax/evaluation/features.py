"""Feature extraction: streams images through a network on all devices of this process."""

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
    """Outputs of a network for n images."""

    features: np.ndarray  # [n, F]
    logits: np.ndarray  # [n, C]


def make_extractor(
    network: Network, devices: Sequence[jax.Device]
) -> Callable[[Iterable[Batch], int], Features]:
    """Make extract(batches, n) -> features and logits of the first n images.

    Batches are uint8 [devices, images per device, H, W, F], all of the same shape. Matmuls have
    full float32 precision, whereas by default a TPU rounds their operands to bfloat16.
    """
    variables = replicate(network.variables, devices)

    @partial(jax.pmap, in_axes=(None, 0), devices=devices)
    @jax.default_matmul_precision("highest")
    def apply(variables: Any, images: Any) -> tuple[Array, Array]:
        return network.apply(variables, images)

    def extract(batches: Iterable[Batch], n: int) -> Features:
        outputs: list[tuple[np.ndarray, np.ndarray]] = []
        pending = None
        for images in image_progress(batches, n):
            current = apply(variables, images)
            if pending is not None:
                outputs.append(jax.device_get(pending))  # while the current batch is computed
            pending = current
        if pending is None:
            return Features(np.empty((0, 0)), np.empty((0, 0)))
        outputs.append(jax.device_get(pending))
        features, logits = zip(*outputs, strict=True)
        return Features(_first(features, n), _first(logits, n))

    return extract


def _first(batches: Sequence[np.ndarray], n: int) -> np.ndarray:
    """Join batches [devices, images per device, F] and keep the first n rows, [n, F]."""
    return np.concatenate([batch.reshape(-1, batch.shape[-1]) for batch in batches])[:n]


def in_batches(images: np.ndarray, batch_size: int, devices: int) -> Iterator[np.ndarray]:
    """Split uint8 [n, H, W, F] into [devices, batch_size / devices, H, W, F], zero-padded."""
    for start in range(0, len(images), batch_size):
        padded = np.zeros((batch_size, *images.shape[1:]), images.dtype)
        batch = images[start : start + batch_size]
        padded[: len(batch)] = batch
        yield padded.reshape(devices, -1, *images.shape[1:])
