"""The classifier of the probe learns what there is to learn, and is tested on all images."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gcgan_jax.evaluation.probe import Examples, Probe, Training, accuracy, init, train_probe
from gcgan_jax.graphs.controls import Ring
from gcgan_jax.layers.graph_conv import GraphConv
from gcgan_jax.operators.aggregate import Aggregate

LAYER = partial(GraphConv, graph=partial(Ring, k=3), operator=Aggregate)
NETWORK = Probe(width=4, classes=2, graph_conv=LAYER)


def examples(n: int, seed: int) -> Examples:
    """Make images of noise, of which those of class 1 are brighter."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n).astype(np.int32)
    noise = rng.integers(0, 100, (n, 16, 16, 3))
    images = (noise + 100 * labels[:, None, None, None]).astype(np.uint8)
    return Examples(jnp.asarray(images), jnp.asarray(labels))


def test_it_learns_from_labels_alone() -> None:
    train, test = examples(40, 0), examples(30, 1)
    reversed_ = train._replace(labels=1 - train.labels)
    run = jax.jit(partial(train_probe, NETWORK, Training(40, 16, 1e-2)))
    assert run(train, test, jax.random.key(0)) > 0.95
    assert run(reversed_, test, jax.random.key(0)) < 0.05


@pytest.mark.parametrize("batch_size", [4, 7, 50])
def test_accuracy_counts_each_image_once(batch_size: int) -> None:
    test = examples(10, 0)
    variables = init(NETWORK, test, jax.random.key(3))
    keys = jax.random.split(jax.random.key(4), 10)
    logits = NETWORK.apply(variables, test.images / 127.5 - 1, keys, train=False)
    labels = jnp.where(jnp.arange(10) < 9, logits.argmax(-1), 1 - logits.argmax(-1))
    share = accuracy(NETWORK, variables, test._replace(labels=labels), batch_size, keys[0])
    assert share == pytest.approx(0.9)


def test_stages_start_from_the_same_weights() -> None:
    other = Probe(4, 2, partial(LAYER, without="non_local", coordinates=False))
    first, second = (init(of, examples(1, 0), jax.random.key(5)) for of in (NETWORK, other))
    jax.tree.map(np.testing.assert_array_equal, first, second)
