"""The losses other than WGAN-GP's against numpy, finite differences and closed forms."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from gcgan_jax import references
from gcgan_jax.gan.losses import LOSSES
from gcgan_jax.gan.losses.r3gan import R3GAN
from gcgan_jax.gan.losses.separable import WGAN

NAMES = sorted(LOSSES.keys() - {"wgan_gp"})
GAMMA = 0.7
KEYS, ITERATION = jax.random.split(jax.random.key(0), 3), jnp.array(0)


def losses(name: str, critic: Any, real: Array, fake: Array) -> tuple[Array, Array]:
    """Return the losses of critic and generator."""
    loss = R3GAN(GAMMA) if name == "r3gan" else LOSSES[name]()
    of_critic, metrics = loss.critic_loss(critic, real, fake, KEYS, ITERATION)
    assert metrics["critic_loss"] is of_critic
    return of_critic, loss.generator_loss(critic, real, fake, KEYS, ITERATION)


def reference(name: str, w: np.ndarray, real: np.ndarray, fake: np.ndarray) -> tuple[float, float]:
    """The losses of the critic D(x) = sum(tanh(w x)), whose gradient is w (1 - tanh(w x)^2)."""
    values = [np.tanh(w * x).sum((1, 2, 3)) for x in (real, fake)]
    squares = [np.square(w * (1 - np.tanh(w * x) ** 2)).sum((1, 2, 3)) for x in (real, fake)]
    penalty = GAMMA / 2 * sum(map(np.mean, squares)) if name == "r3gan" else 0
    of_critic = references.critic_loss(name, *values) + penalty
    return of_critic, references.generator_loss(name, *values)


@pytest.mark.parametrize("name", NAMES)
def test_values_and_gradients_match_the_reference(name: str) -> None:
    rng = np.random.default_rng(0)
    w, real, fake = rng.normal(size=(1, 2, 2, 2)), *rng.normal(size=(2, 3, 2, 2, 2))

    def both(w: Array, real: Array, fake: Array) -> tuple[Array, Array]:
        return losses(name, lambda x: jnp.sum(jnp.tanh(w * x), axis=(1, 2, 3)), real, fake)

    with jax.enable_x64(True):
        values = jax.jit(both)(w, real, fake)
        gradients = jax.jit(jax.jacrev(both, argnums=(0, 1, 2)))(w, real, fake)
    np.testing.assert_allclose(values, reference(name, w, real, fake), rtol=1e-12)
    for i, actual in enumerate(gradients):
        expected = references.gradients(lambda *a, i=i: reference(name, *a)[i], w, real, fake)
        for gradient, numerical in zip(actual, expected, strict=True):
            np.testing.assert_allclose(gradient, numerical, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [  # losses of critic and generator, and slopes of the generator's in D(fake)
        ("wgan", (-200, 100, -1), (200, -100, -1)),
        ("minimax", (0, 0, 0), (200, -100, -1)),
        ("non_saturating", (0, 100, -1), (200, 0, 0)),
        ("hinge", (0, 100, -1), (202, -100, -1)),
        ("r3gan", (0, 200, -1), (200, 0, 0)),
    ],
)
def test_losses_are_exact_for_a_critic_that_is_sure(
    name: str, right: tuple[float, ...], wrong: tuple[float, ...]
) -> None:
    """D is 100 on real and -100 on generated images, or the other way round; in float32."""

    @jax.jit
    def measure(sign: Array) -> tuple[Array, Array, Array]:
        def critic(x: Array) -> Array:
            return jnp.sum(x, axis=(1, 2, 3))

        def of_generator(d: Array) -> tuple[Array, Array]:
            both = losses(name, critic, image * sign, image * d)
            return both[1], both[0]

        image = jnp.full((3, 1, 1, 1), 100.0)
        (second, first), slope = jax.value_and_grad(of_generator, has_aux=True)(-sign)
        return first, second, slope / 100

    penalty = GAMMA if name == "r3gan" else 0  # both norms are 1
    for sign, (first, second, slope) in ((1.0, right), (-1.0, wrong)):
        expected = (first + penalty, second, slope)
        np.testing.assert_allclose(measure(sign), expected, rtol=1e-6, atol=1e-30)


def test_only_wgan_constrains_the_critic() -> None:
    params = {"kernel": jnp.array([-2.0, 0.003]), "bias": jnp.array([0.5])}
    clipped = WGAN(0.01).project(params)
    np.testing.assert_array_equal(clipped["kernel"], np.array([-0.01, 0.003], np.float32))
    np.testing.assert_array_equal(clipped["bias"], np.array([0.01], np.float32))
    assert all(LOSSES[name]().project(params) is params for name in LOSSES if name != "wgan")
