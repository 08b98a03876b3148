"""The critic against its layers' references, and its size at the thesis's widths."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gcgan_jax import references
from gcgan_jax.gan.losses import critic_loss
from gcgan_jax.graphs.knn import KNN
from gcgan_jax.layers.graph_conv import GraphConv
from gcgan_jax.models.gcgan import Critic
from gcgan_jax.operators.ecc import ECC
from tests.helpers import assert_agrees

THESIS = Critic((128, 256, 512), slope=0.2)


def shapes_of(critic: Critic, *shape: int) -> Any:
    return jax.eval_shape(critic.init, jax.random.key(0), jnp.zeros(shape))["params"]


@pytest.mark.parametrize("side", [16, 32, 64])
def test_size_at_the_thesis_widths(side: int) -> None:
    params = shapes_of(THESIS, 2, side, side, 3)
    wanted = {
        "conv1": 5 * 5 * 3 * 128 + 128,
        "conv2": 5 * 5 * 128 * 256 + 256,
        "conv3": 5 * 5 * 256 * 512 + 512,
        "dense": (side // 8) ** 2 * 512 + 1,
    }
    found = {name: sum(a.size for a in jax.tree.leaves(layer)) for name, layer in params.items()}
    assert found == wanted
    out = jax.eval_shape(THESIS.apply, {"params": params}, jnp.zeros((2, side, side, 3)))
    assert out.shape == (2,) and out.dtype == jnp.float32


def random_weights(critic: Critic, *shape: int) -> Any:
    rng = np.random.default_rng(1)
    return jax.tree.map(lambda a: rng.normal(size=a.shape) / 2, shapes_of(critic, *shape))


def test_layers_in_their_order() -> None:
    critic = Critic((2, 3, 4), slope := 0.3)
    x = np.random.default_rng(0).normal(size=(1, 8, 8, 2))
    params = random_weights(critic, *x.shape)

    def reference(x: np.ndarray) -> np.ndarray:
        for name in ("conv1", "conv2", "conv3"):
            x = references.conv(x, params[name]["kernel"], ((1, 2), (1, 2)), stride=2)
            x = references.leaky_relu(x + params[name]["bias"], slope)
        return (x.reshape(1, -1) @ params["dense"]["kernel"] + params["dense"]["bias"])[:, 0]

    assert_agrees(lambda x: critic.apply({"params": params}, x), reference, x)


GRAPH_CONV = partial(
    GraphConv, graph=partial(KNN, k=3), operator=partial(ECC, hidden=2, delta=4.0, slope=0.2)
)


def test_a_graph_layer_follows_its_convolution() -> None:
    critic = Critic((2, 3, 4), slope=0.2, graph_after=(1,), graph_conv=GRAPH_CONV)
    x = np.random.default_rng(0).normal(size=(1, 8, 8, 2))
    params = random_weights(critic, *x.shape)
    plain = {name: layer for name, layer in params.items() if name != "conv1_graph"}
    assert plain.keys() == shapes_of(Critic((2, 3, 4), slope=0.2), *x.shape).keys()

    def strided(x: np.ndarray, name: str) -> np.ndarray:
        x = references.conv(x, params[name]["kernel"], ((1, 2), (1, 2)), stride=2)
        return references.leaky_relu(x + params[name]["bias"], 0.2)

    def reference(x: np.ndarray) -> np.ndarray:
        x, layer = strided(x, "conv1"), params["conv1_graph"]
        h = np.concatenate([x.reshape(1, 16, 2), references.coordinates(4, 4)[None]], axis=-1)
        non_local = references.ecc(
            h, references.knn(x, 3), **layer["non_local"], delta=4.0, slope=0.2
        )
        local = references.conv(x, layer["local"]["kernel"], ((1, 1), (1, 1)))
        x = (local + non_local.reshape(local.shape)) / 2 + layer["bias"]
        x = strided(strided(references.leaky_relu(x, 0.2), "conv2"), "conv3")
        return (x.reshape(1, -1) @ params["dense"]["kernel"] + params["dense"]["bias"])[:, 0]

    assert_agrees(lambda x: critic.apply({"params": params}, x), reference, x)


def test_the_gradient_penalty_is_differentiated_through_a_graph_layer() -> None:
    """Along random directions of all parameters, against finite differences."""
    critic = Critic((2, 3, 4), slope=0.2, graph_after=(1,), graph_conv=GRAPH_CONV)
    rng = np.random.default_rng(2)
    real, fake = rng.normal(size=(2, 2, 8, 8, 3))
    mix = rng.uniform(size=2)
    params = random_weights(critic, *real.shape)
    with jax.enable_x64(True):

        @jax.jit
        def loss(params: Any) -> jax.Array:
            judge = partial(critic.apply, {"params": params})
            return critic_loss(judge, real, fake, mix, penalty_weight=10.0)[0]

        gradients = jax.jit(jax.grad(loss))(params)
        for _ in range(3):
            direction = jax.tree.map(lambda a: rng.normal(size=a.shape), params)

            def at(step: float, direction: Any = direction) -> float:
                return float(loss(jax.tree.map(lambda p, d: p + step * d, params, direction)))

            slope = (at(1e-6) - at(-1e-6)) / 2e-6
            products = jax.tree.map(lambda g, d: np.sum(g * d), gradients, direction)
            assert sum(jax.tree.leaves(products)) == pytest.approx(slope, rel=1e-5)


def test_every_image_is_judged_by_itself() -> None:
    critic = Critic((4, 8, 8), slope=0.2)
    x = np.random.default_rng(0).normal(size=(3, 16, 16, 3))
    variables = {"params": random_weights(critic, *x.shape)}
    with jax.enable_x64(True):
        together, alone = jax.jit(lambda v, x: (critic.apply(v, x), critic.apply(v, x[1:2])))(
            variables, x
        )
    np.testing.assert_allclose(together[1:2], alone, rtol=1e-12)
