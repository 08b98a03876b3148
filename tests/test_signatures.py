"""Calls that violate the shapes or dtypes of a signature fail in the tests."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import TypeCheckError

from gcgan_jax.gan.interpolation import latent_path
from gcgan_jax.gan.losses.wgan_gp import critic_loss
from gcgan_jax.graphs.knn import knn
from gcgan_jax.graphs.tiling import map_images
from gcgan_jax.layers.conv import Conv
from gcgan_jax.operators.edge_conv import edge_conv

NODES, EDGES, WEIGHTS = np.ones((2, 5, 3)), np.zeros((2, 5, 1), int), np.ones((3, 4))


@pytest.mark.parametrize(
    "call",
    [
        lambda: edge_conv(NODES[:, :4], EDGES, WEIGHTS, WEIGHTS),  # N differs
        lambda: edge_conv(NODES, EDGES, WEIGHTS, WEIGHTS.T),
        lambda: edge_conv(NODES, EDGES.astype(float), WEIGHTS, WEIGHTS),
        lambda: knn(EDGES, 1),  # indices instead of features
        lambda: critic_loss(
            lambda x: x[:, 0], NODES[0], NODES[0], jnp.ones(4), penalty_weight=1.0
        ),  # B differs
        lambda: map_images(lambda h: h, NODES, EDGES[:1], image_bytes=1),
        lambda: Conv(4).init(jax.random.key(0), NODES),
    ],
)
def test_wrong_arguments_are_rejected(call: Callable[[], object]) -> None:
    with pytest.raises(TypeCheckError, match="whilst checking the parameters"):
        jax.eval_shape(call)


def test_wrong_results_are_rejected() -> None:
    with pytest.raises(TypeCheckError, match="whilst checking the return value"):
        latent_path(WEIGHTS, 2, lambda a, b, t: a[None])  # one latent for two steps
