"""Feature extraction (order, padding, devices) and their cache."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gcgan_jax.evaluation.cache import Cache
from gcgan_jax.evaluation.features import in_batches, make_extractor
from gcgan_jax.evaluation.networks import Network
from gcgan_jax.evaluation.reference_statistics import Reference, digest_of, load_reference

IMAGES = np.random.default_rng(0).integers(0, 256, (23, 4, 4, 3)).astype(np.uint8)
NETWORK = Network(
    "sums",
    "0" * 64,
    None,
    {"factor": np.float32(2)},
    lambda variables, x: (
        variables["factor"] * x.astype(jnp.float32).sum(axis=(1, 2)),
        x[:, 0, 0, :1].astype(jnp.float32),
    ),
)


@pytest.mark.parametrize("devices", [1, 2, 4])
@pytest.mark.parametrize("batch_size", [4, 8, 24])
def test_features_are_in_the_order_of_images(devices: int, batch_size: int) -> None:
    extract = make_extractor(NETWORK, jax.devices()[:devices])
    actual = extract(in_batches(IMAGES, batch_size, devices), len(IMAGES))
    np.testing.assert_array_equal(actual.features, 2.0 * IMAGES.sum(axis=(1, 2)))
    np.testing.assert_array_equal(actual.logits, IMAGES[:, 0, 0, :1])


def test_reference_is_computed_once_per_set_of_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    extract = make_extractor(NETWORK, jax.devices()[:1])
    extracted = []

    def load(images: np.ndarray) -> Reference:
        def batches():
            extracted.append(len(images))
            yield from in_batches(images, 8, 1)

        return load_reference(
            images, digest_of(images), NETWORK, Cache(tmp_path / "cache"), extract, batches()
        )

    computed, cached, other = load(IMAGES), load(IMAGES), load(IMAGES[:20])
    assert extracted == [23, 20]
    for a, b in zip(jax.tree.leaves(computed), jax.tree.leaves(cached), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(computed.gaussian.mean, 2 * IMAGES.sum(axis=(1, 2)).mean(axis=0))
    assert len(other.features) == 20
