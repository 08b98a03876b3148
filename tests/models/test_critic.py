"""The critic against its layers' references, and its size at the thesis's widths."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gcgan_jax.models.critic import Critic
from tests import references
from tests.layers import assert_agrees

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


def test_every_image_is_judged_by_itself() -> None:
    critic = Critic((4, 8, 8), slope=0.2)
    x = np.random.default_rng(0).normal(size=(3, 16, 16, 3))
    variables = {"params": random_weights(critic, *x.shape)}
    with jax.enable_x64(True):
        together, alone = jax.jit(lambda v, x: (critic.apply(v, x), critic.apply(v, x[1:2])))(
            variables, x
        )
    np.testing.assert_allclose(together[1:2], alone, rtol=1e-12)
