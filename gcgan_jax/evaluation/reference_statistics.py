"""Features of real images and their statistics, cached between runs."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from gcgan_jax.evaluation.cache import Cache
from gcgan_jax.evaluation.features import Features
from gcgan_jax.evaluation.metrics import Gaussian, gaussian
from gcgan_jax.evaluation.networks import Network
from gcgan_jax.gan.sampler import Batch
from gcgan_jax.runtime.console import report
from gcgan_jax.storage.trees import sha256

MAX_FEATURES, MAX_COVARIANCE = 2**15, 2**28  # bytes: 4096 features in float64, and more


class Reference(NamedTuple):
    """Features of all images of a split, and the Gaussian fitted to them."""

    features: np.ndarray  # [n, F]
    gaussian: Gaussian


def digest_of(images: np.ndarray) -> str:
    """Return the first 16 hex digits of the SHA-256 of uint8 images."""
    return sha256(np.ascontiguousarray(images).reshape(-1).data)[:16]  # not a copy, if mapped


def load_reference(
    images: np.ndarray,
    digest: str,
    network: Network,
    cache: Cache,
    extract: Callable[[Iterable[Batch], int], Features],
    batches: Iterable[Batch],
) -> Reference:
    """Load the reference from `cache` by network and images, or compute and cache it.

    Args:
        images: real images, uint8 [n, H, W, F].
        digest: digest of the images, see `digest_of`.
        batches: the same images, batched for `extract`.
    """
    name = f"reference-{network.name}-{network.digest[:16]}-{digest}"
    tree = cache.load_tree(name, len(images) * MAX_FEATURES + MAX_COVARIANCE)
    if tree is None:
        report(f"extracting features of {len(images)} real images")
        features = extract(batches, len(images)).features
        mean, covariance = gaussian(features)
        tree = {"features": features, "mean": mean, "covariance": covariance}
        cache.store_tree(name, tree)
    return Reference(tree["features"], Gaussian(tree["mean"], tree["covariance"]))
