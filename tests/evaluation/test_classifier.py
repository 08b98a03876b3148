"""The bundled classifier and its weights."""

import os
from importlib import resources

import jax
import numpy as np
import pytest

from gcgan_jax.data.tfds import load_cifar10
from gcgan_jax.evaluation import networks
from gcgan_jax.evaluation.cache import Cache
from gcgan_jax.evaluation.features import in_batches, make_extractor
from gcgan_jax.evaluation.networks import load_network
from gcgan_jax.evaluation.networks.classifier import Classifier
from gcgan_jax.evaluation.networks.weights import CLASSIFIER

CARD = (resources.files(networks) / "classifier.md").read_text()
IMAGES = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3)).astype(np.uint8)


def test_weights_are_small_and_match_the_card() -> None:
    network = load_network("classifier", "", Cache("unused"))
    file = (resources.files(networks) / CLASSIFIER).read_bytes()
    assert len(file) <= 3_000_000
    assert sum(leaf.size for leaf in jax.tree.leaves(network.variables["params"])) <= 700_000
    assert network.digest in CARD
    expected = jax.eval_shape(Classifier().init, jax.random.key(0), IMAGES)
    assert jax.tree.map(np.shape, network.variables) == jax.tree.map(np.shape, expected)


def test_classifier_treats_images_independently() -> None:
    network = load_network("classifier", "", Cache("unused"))
    batch = network.apply(network.variables, IMAGES)
    single = network.apply(network.variables, IMAGES[2:3])
    for a, b in zip(batch, single, strict=True):
        np.testing.assert_allclose(a[2:3], b, rtol=1e-4, atol=1e-4)
    assert batch[0].shape == (5, 128)
    assert batch[1].shape == (5, 10)


@pytest.mark.skipif("CIFAR10_DIR" not in os.environ, reason="needs CIFAR10_DIR, a TFDS directory")
def test_accuracy_matches_the_card() -> None:
    import tensorflow_datasets as tfds

    directory = os.environ["CIFAR10_DIR"]
    labels = tfds.load("cifar10", split="test", data_dir=directory, download=False, batch_size=-1)
    images = load_cifar10(directory).test
    extract = make_extractor(load_network("classifier", "", Cache("unused")), jax.devices()[:1])
    logits = extract(in_batches(images, 500, 1), len(images)).logits
    accuracy = (logits.argmax(axis=-1) == labels["label"].numpy()).mean()
    assert f"{accuracy:.2%}" in CARD
