"""Normalisations of the critic against numpy, and which images and weights they depend on."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from gcgan_jax import references
from gcgan_jax.layers.normalisation import Normalisation
from gcgan_jax.layers.spectral_norm import power_iteration
from gcgan_jax.layers.statistics import BatchStatistics
from gcgan_jax.models.gcgan import Critic
from tests.models.test_critic import GRAPH_CONVS

WIDTHS, SLOPE, EPSILON = (2, 3, 4), 0.2, 0.01
IMAGES = np.random.default_rng(0).normal(size=(3, 8, 8, 2))


def make(name: str) -> tuple[Critic, dict]:
    """Return a critic and its variables, with random parameters."""
    critic = Critic(WIDTHS, SLOPE, norm=Normalisation(name, BatchStatistics(0.9, EPSILON)))
    rng = np.random.default_rng(1)
    variables = jax.jit(critic.init)(jax.random.key(0), IMAGES)
    params = jax.tree.map(lambda a: rng.normal(size=a.shape) / 2, variables["params"])
    return critic, {**variables, "params": params}


def normalised(name: str, x: np.ndarray, scale: np.ndarray, bias: np.ndarray) -> np.ndarray:
    if name == "batch":
        return references.batch_norm(x, scale, bias, EPSILON)
    each = [(image - image.mean()) / np.sqrt(image.var() + EPSILON) for image in x]
    return np.array(each) * scale + bias


@pytest.mark.parametrize("name", ["layer", "batch"])
def test_features_are_normalised_after_all_convolutions_but_the_first(name: str) -> None:
    with jax.enable_x64(True):
        critic, variables = make(name)
        actual, updated = jax.jit(
            lambda v, x: critic.apply(v, x, train=True, mutable=["batch_stats"])
        )(variables, IMAGES)
    params, x = variables["params"], IMAGES
    for layer in ("conv1", "conv2", "conv3"):
        kernel, bias = params[layer]["kernel"], params[layer]["bias"]
        x = references.conv(x, kernel, ((1, 2), (1, 2)), stride=2) + bias
        if layer != "conv1":
            x = normalised(name, x, **params[f"{layer}_norm"])
        x = references.leaky_relu(x, SLOPE)
    expected = x.reshape(len(x), -1) @ params["dense"]["kernel"] + params["dense"]["bias"]
    np.testing.assert_allclose(actual, expected[:, 0], rtol=1e-10)
    assert ("batch_stats" in updated) == (name == "batch")


def test_spectral_normalisation_divides_all_weights_by_their_largest_singular_value() -> None:
    """After enough steps of power iteration; the gradient goes through the singular value."""
    with jax.enable_x64(True):
        critic, variables = make("spectral")
        params, plain = variables["params"], Critic(WIDTHS, SLOPE)

        @jax.jit
        def step(statistics: dict) -> dict:
            _, updated = critic.apply(
                {"params": params, **statistics}, IMAGES, train=True, mutable=["batch_stats"]
            )
            return updated

        statistics = {"batch_stats": variables["batch_stats"]}
        for _ in range(100):
            statistics = step(statistics)

        def expected(params: dict) -> Array:
            def divide(kernel: Array) -> Array:
                return kernel / jnp.linalg.norm(kernel.reshape(-1, kernel.shape[-1]), ord=2)

            params = jax.tree.map(lambda a: divide(a) if a.ndim > 1 else a, params)
            return jnp.sum(jnp.sin(plain.apply({"params": params}, IMAGES)))

        def actual(params: dict) -> Array:
            return jnp.sum(jnp.sin(critic.apply({"params": params, **statistics}, IMAGES)))

        results = [jax.jit(jax.value_and_grad(f))(params) for f in (actual, expected)]
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9), *results)


def test_power_iteration_keeps_u_where_there_is_nothing_to_normalise() -> None:
    sigma, u = power_iteration(jnp.zeros((4, 2)), jnp.array([0.6, 0.8]))
    assert sigma == 0 and u.tolist() == pytest.approx([0.6, 0.8])


def test_spectral_normalisation_reaches_the_weights_of_graph_layers() -> None:
    """The output does not change with the size of any weight."""
    norm = Normalisation("spectral")
    critic = Critic(WIDTHS, SLOPE, (1,), GRAPH_CONVS["edge_conv"], norm)
    variables = jax.jit(critic.init)(jax.random.key(0), IMAGES)
    larger = jax.tree.map(lambda a: 7 * a if a.ndim > 1 else a, variables["params"])
    apply = jax.jit(critic.apply)
    np.testing.assert_allclose(
        apply({**variables, "params": larger}, IMAGES), apply(variables, IMAGES), rtol=1e-4
    )


@pytest.mark.parametrize("name", ["layer", "spectral"])
def test_images_do_not_affect_each_other(name: str) -> None:
    with jax.enable_x64(True):
        critic, variables = make(name)
        apply = jax.jit(lambda v, x: critic.apply(v, x, train=True, mutable=["batch_stats"])[0])
        batch, single = apply(variables, IMAGES), apply(variables, IMAGES[1:2])
    np.testing.assert_allclose(batch[1:2], single, rtol=1e-10)


def test_unknown_name() -> None:
    with pytest.raises(ValueError, match="unknown normalisation 'instance'"):
        Normalisation("instance")
    assert jnp.all(Normalisation().features(jnp.ones((1, 2, 2, 1)), "conv1") == 1)
