"""A small classifier with one graph layer: does a part of the layer help to tell images apart?

Thesis chapter 5 suggests it, as a loss that is easier to interpret than a GAN's.

B images, H rows, W columns, F features.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax.typing import VariableDict
from jax import Array, lax
from jaxtyping import Float, Int, Key, UInt8

from gcgan_jax.arrays import AnyArray
from gcgan_jax.data.pixels import scale
from gcgan_jax.layers.conv import Conv
from gcgan_jax.layers.statistics import BatchStatistics


class Examples(NamedTuple):
    """Images and their classes, from 0."""

    images: UInt8[AnyArray, "n H W F"]
    labels: Int[AnyArray, "n"]


@dataclass(frozen=True)
class Training:
    """How a classifier is trained: Adam, whose learning rate decays to 0 by a cosine."""

    steps: int
    batch_size: int
    learning_rate: float


class Probe(nn.Module):
    """Computes the logits of images in [-1, 1].

        conv -> 2x2 max pooling -> graph layer -> 2x2 max pooling -> conv -> mean over all pixels

    with batch normalisation and ReLU after each of the three layers; the last has twice the width.
    The mean hides where a feature was found, so that only layers before can relate distant pixels.

    Attributes:
        width: features of the first convolution and of the graph layer.
        classes: number of logits.
        graph_conv: factory of the graph layer, which takes its number of features.
    """

    width: int
    classes: int
    graph_conv: Callable[..., nn.Module]

    @nn.compact
    def __call__(
        self, x: Float[AnyArray, "B H W F"], keys: Key[Array, "B"], *, train: bool
    ) -> Float[Array, "B {self.classes}"]:
        statistics = BatchStatistics(momentum=0.9, epsilon=1e-5, use_running_average=not train)

        def activate(x: Array, name: str) -> Array:
            return nn.relu(statistics.norm(f"{name}_norm")(x))

        x = activate(Conv(self.width, name="first")(x), "first")
        x = nn.max_pool(x, (2, 2), (2, 2))
        graph_conv = self.graph_conv(self.width, statistics=statistics, name="graph_layer")
        x = activate(graph_conv(x, keys), "graph_layer")
        x = nn.max_pool(x, (2, 2), (2, 2))
        x = activate(Conv(2 * self.width, name="last")(x), "last")
        return nn.Dense(self.classes, name="logits")(x.mean(axis=(1, 2), dtype=float))


def train_probe(
    network: Probe, training: Training, train: Examples, test: Examples, key: Key[Array, ""]
) -> Float[Array, ""]:
    """Train a classifier, and return its accuracy on the test images.

    Initial weights and batches depend on the key alone, not on what the graph layer consists of.
    """
    initial_key, batch_key, test_key = jax.random.split(key, 3)
    variables = init(network, train, initial_key)
    optimizer = optax.adam(optax.cosine_decay_schedule(training.learning_rate, training.steps))

    def update(carry: tuple[VariableDict, Any], step: Array) -> tuple[tuple[Any, Any], None]:
        variables, state = carry
        step_key, image_key = jax.random.split(jax.random.fold_in(batch_key, step))
        chosen = jax.random.randint(step_key, (training.batch_size,), 0, len(train.labels))
        images, labels = scale(train.images[chosen]), train.labels[chosen]
        keys = jax.random.split(image_key, training.batch_size)

        def loss(params: VariableDict) -> tuple[Array, VariableDict]:
            logits, updated = network.apply(
                {**variables, "params": params}, images, keys, train=True, mutable=["batch_stats"]
            )
            losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
            return jnp.mean(losses), updated

        gradients, updated = jax.grad(loss, has_aux=True)(variables["params"])
        changes, state = optimizer.update(gradients, state)
        params = optax.apply_updates(variables["params"], changes)
        return ({"params": params, **updated}, state), None

    carry = variables, optimizer.init(variables["params"])
    (variables, _), _ = lax.scan(update, carry, jnp.arange(training.steps))
    return accuracy(network, variables, test, training.batch_size, test_key)


def init(network: Probe, examples: Examples, key: Key[Array, ""]) -> VariableDict:
    """Initialise a classifier for images such as these."""
    keys = jax.random.split(key, 1)
    image = jnp.zeros((1, *examples.images.shape[1:]))
    variables = network.init(key, image, keys, train=False)
    return {name: variables[name] for name in ("params", "batch_stats")}


def accuracy(
    network: Probe,
    variables: VariableDict,
    examples: Examples,
    batch_size: int,
    key: Key[Array, ""],
) -> Float[Array, ""]:
    """Return the share of images whose largest logit is that of their class."""
    n, size = len(examples.labels), min(batch_size, len(examples.labels))
    keys = jax.random.split(key, n)

    def hits(indices: Int[Array, "size"]) -> Float[Array, "size"]:
        images = scale(examples.images[indices])
        logits = cast(Array, network.apply(variables, images, keys[indices], train=False))
        return (jnp.argmax(logits, axis=-1) == examples.labels[indices]).astype(float)

    batches = -(-n // size)
    indices = jnp.minimum(jnp.arange(batches * size), n - 1)  # the last image fills the last batch
    return jnp.mean(lax.map(hits, indices.reshape(batches, size)).ravel()[:n])
