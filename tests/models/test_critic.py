"""The critic against a reference, and its parameter count at the thesis's widths."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gcgan_jax import references
from gcgan_jax.gan.losses.wgan_gp import critic_loss
from gcgan_jax.gan.penalties import gradient_norms
from gcgan_jax.graphs.knn import KNN
from gcgan_jax.graphs.soft_knn import SoftKNN
from gcgan_jax.layers.graph_conv import GraphConv
from gcgan_jax.layers.merge import Gate
from gcgan_jax.models.gcgan import Critic
from gcgan_jax.operators.aggregate import Aggregate
from gcgan_jax.operators.chebyshev import ChebyshevConv
from gcgan_jax.operators.ecc import ECC
from gcgan_jax.operators.edge_conv import EdgeConv
from gcgan_jax.operators.gcn import GCN
from gcgan_jax.operators.max_relative import MaxRelative
from gcgan_jax.operators.self_attention import SelfAttention
from tests.helpers import assert_agrees

THESIS = Critic((128, 256, 512), slope=0.2)


def param_shapes(critic: Critic, *shape: int) -> Any:
    return jax.eval_shape(critic.init, jax.random.key(0), jnp.zeros(shape))["params"]


@pytest.mark.parametrize("side", [16, 32, 64])
def test_parameter_count_at_the_thesis_widths(side: int) -> None:
    params = param_shapes(THESIS, 2, side, side, 3)
    expected = {
        "conv1": 5 * 5 * 3 * 128 + 128,
        "conv2": 5 * 5 * 128 * 256 + 256,
        "conv3": 5 * 5 * 256 * 512 + 512,
        "dense": (side // 8) ** 2 * 512 + 1,
    }
    actual = {name: sum(a.size for a in jax.tree.leaves(layer)) for name, layer in params.items()}
    assert actual == expected
    out = jax.eval_shape(THESIS.apply, {"params": params}, jnp.zeros((2, side, side, 3)))
    assert out.shape == (2,) and out.dtype == jnp.float32


def random_params(critic: Critic, *shape: int) -> Any:
    rng = np.random.default_rng(1)
    return jax.tree.map(lambda a: rng.normal(size=a.shape) / 2, param_shapes(critic, *shape))


def test_critic_matches_the_reference() -> None:
    critic = Critic((2, 3, 4), slope := 0.3)
    x = np.random.default_rng(0).normal(size=(1, 8, 8, 2))
    params = random_params(critic, *x.shape)

    def reference(x: np.ndarray) -> np.ndarray:
        for name in ("conv1", "conv2", "conv3"):
            x = references.conv(x, params[name]["kernel"], ((1, 2), (1, 2)), stride=2)
            x = references.leaky_relu(x + params[name]["bias"], slope)
        return (x.reshape(1, -1) @ params["dense"]["kernel"] + params["dense"]["bias"])[:, 0]

    assert_agrees(lambda x: critic.apply({"params": params}, x), reference, x)


GRAPH_CONV = partial(
    GraphConv, graph=partial(KNN, k=3), operator=partial(ECC, hidden=2, delta=4.0, slope=0.2)
)


GRAPH_CONVS = {
    "ecc": GRAPH_CONV,
    "edge_conv": partial(
        GraphConv, graph=partial(KNN, k=3), operator=partial(EdgeConv, reduction="mean")
    ),
    "soft_knn": partial(GraphConv, graph=partial(SoftKNN, k=3, features=2), operator=Aggregate),
    "max_relative": partial(GraphConv, graph=partial(KNN, k=3), operator=MaxRelative),
    "gcn": partial(GraphConv, graph=partial(SoftKNN, k=3, features=2), operator=GCN),
    "chebyshev": partial(
        GraphConv, graph=partial(KNN, k=3), operator=partial(ChebyshevConv, order=2)
    ),
    "self_attention": partial(
        GraphConv, graph=KNN, operator=SelfAttention, merge=Gate, local_branch="identity"
    ),
}


def reference_critic(params: Any, x: np.ndarray) -> np.ndarray:
    """The critic with GRAPH_CONV after its first convolution, for one image."""

    def strided(x: np.ndarray, name: str) -> np.ndarray:
        x = references.conv(x, params[name]["kernel"], ((1, 2), (1, 2)), stride=2)
        return references.leaky_relu(x + params[name]["bias"], 0.2)

    x, layer = strided(x, "conv1"), params["conv1_graph"]
    h = np.concatenate([x.reshape(1, 16, 2), references.coordinates(4, 4)[None]], axis=-1)
    non_local = references.ecc(h, references.knn(x, 3), **layer["non_local"], delta=4.0, slope=0.2)
    local = references.conv(x, layer["local"]["kernel"], ((1, 1), (1, 1)))
    x = (local + non_local.reshape(local.shape)) / 2 + layer["bias"]
    x = strided(strided(references.leaky_relu(x, 0.2), "conv2"), "conv3")
    return (x.reshape(1, -1) @ params["dense"]["kernel"] + params["dense"]["bias"])[:, 0]


def test_critic_with_a_graph_layer_matches_the_reference() -> None:
    critic = Critic((2, 3, 4), slope=0.2, graph_after=(1,), graph_conv=GRAPH_CONV)
    x = np.random.default_rng(0).normal(size=(1, 8, 8, 2))
    params = random_params(critic, *x.shape)
    baseline = param_shapes(Critic((2, 3, 4), slope=0.2), *x.shape)
    assert params.keys() == {*baseline, "conv1_graph"}
    assert_agrees(
        lambda x: critic.apply({"params": params}, x), partial(reference_critic, params), x
    )


def test_gradient_penalty_through_a_graph_layer_matches_the_reference() -> None:
    """The reference differentiates the reference critic numerically, at each pixel."""
    critic = Critic((2, 3, 4), slope=0.2, graph_after=(1,), graph_conv=GRAPH_CONV)
    x = np.random.default_rng(0).normal(size=(1, 8, 8, 2))
    params = random_params(critic, *x.shape)
    (gradient,) = references.gradients(lambda x: np.sum(reference_critic(params, x)), x)
    with jax.enable_x64(True):
        bound_critic = partial(critic.apply, {"params": params})
        norm = jax.jit(lambda x: gradient_norms(bound_critic, x))(x)
    np.testing.assert_allclose(norm, [np.linalg.norm(gradient)], rtol=1e-6)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name in ("gcn", "max_relative") else [])
        for name in GRAPH_CONVS
    ],
)
def test_gradient_penalty_differentiates_through_graph_layers(name: str) -> None:
    """Compared with finite differences along random directions of all parameters."""
    critic = Critic((2, 3, 4), slope=0.2, graph_after=(1,), graph_conv=GRAPH_CONVS[name])
    rng = np.random.default_rng(2)
    real, fake = rng.normal(size=(2, 2, 8, 8, 3))
    mix = rng.uniform(size=2)
    params = random_params(critic, *real.shape)
    with jax.enable_x64(True):

        @jax.jit
        def loss(params: Any) -> jax.Array:
            bound_critic = partial(critic.apply, {"params": params})
            return critic_loss(bound_critic, real, fake, mix, penalty_weight=10.0)[0]

        gradients = jax.jit(jax.grad(loss))(params)
        for _ in range(3):
            direction = jax.tree.map(lambda a: rng.normal(size=a.shape), params)

            def loss_at(step: float, direction: Any = direction) -> float:
                return float(loss(jax.tree.map(lambda p, d: p + step * d, params, direction)))

            expected = (loss_at(1e-6) - loss_at(-1e-6)) / 2e-6
            products = jax.tree.map(lambda g, d: np.sum(g * d), gradients, direction)
            assert sum(jax.tree.leaves(products)) == pytest.approx(expected, rel=1e-5)


def test_critic_treats_images_independently() -> None:
    critic = Critic((4, 8, 8), slope=0.2)
    x = np.random.default_rng(0).normal(size=(3, 16, 16, 3))
    variables = {"params": random_params(critic, *x.shape)}
    with jax.enable_x64(True):
        batch, single = jax.jit(lambda v, x: (critic.apply(v, x), critic.apply(v, x[1:2])))(
            variables, x
        )
    np.testing.assert_allclose(batch[1:2], single, rtol=1e-12)
