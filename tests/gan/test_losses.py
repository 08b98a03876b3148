"""Losses against closed forms and finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from gcgan_jax.gan.losses.wgan_gp import critic_loss, generator_loss
from gcgan_jax.gan.penalties import gradient_norms
from gcgan_jax.models.gcgan import Critic


def images(seed: int, batch: int = 3, side: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(batch, side, side, 2)).astype(np.float32)


@pytest.mark.parametrize("penalty_weight", [0.0, 1.0, 10.0])
def test_gradient_norm_of_a_linear_critic_is_its_weight_norm(penalty_weight: float) -> None:
    w = images(0, 1)
    real, fake, mix = images(1), images(2), np.array([0.0, 0.3, 1.0], np.float32)

    def critic(x: Array) -> Array:
        return jnp.sum(x * w, axis=(1, 2, 3))

    loss, metrics = jax.jit(lambda *a: critic_loss(critic, *a, penalty_weight=penalty_weight))(
        real, fake, mix
    )
    norm = np.sqrt(np.sum(w**2))
    wasserstein = np.mean(np.sum(real * w, (1, 2, 3))) - np.mean(np.sum(fake * w, (1, 2, 3)))
    assert metrics["gradient_norm"] == pytest.approx(norm, rel=1e-5)
    assert metrics["gradient_penalty"] == pytest.approx((norm - 1) ** 2, rel=1e-5)
    assert metrics["wasserstein"] == pytest.approx(wasserstein, rel=1e-4)
    assert loss == pytest.approx(-wasserstein + penalty_weight * (norm - 1) ** 2, rel=1e-4)
    assert metrics["critic_loss"] == loss


def test_mix_and_norm_are_per_image() -> None:
    real, fake, mix = images(1), images(2), np.array([0.0, 0.3, 1.0], np.float32)
    _, metrics = jax.jit(
        lambda *a: critic_loss(lambda x: jnp.sum(x**2, axis=(1, 2, 3)) / 2, *a, penalty_weight=10.0)
    )(real, fake, mix)
    norms = [
        np.linalg.norm(e * r + (1 - e) * f) for e, r, f in zip(mix, real, fake, strict=True)
    ]  # the gradient of |x|^2 / 2 is x
    assert metrics["gradient_norm"] == pytest.approx(np.mean(norms), rel=1e-5)
    assert metrics["gradient_penalty"] == pytest.approx(np.mean((np.array(norms) - 1) ** 2), 1e-5)


def test_norms_do_not_depend_on_the_other_images() -> None:
    def critic(x: Array) -> Array:
        return jnp.sum(jnp.sin(3 * x), axis=(1, 2, 3))

    x = images(3)
    batch = jax.jit(lambda x: gradient_norms(critic, x))(x)
    single = [gradient_norms(critic, x[i : i + 1])[0] for i in range(3)]
    np.testing.assert_allclose(batch, single, rtol=1e-6)


def test_penalty_and_its_derivative_are_finite_at_zero_gradient() -> None:
    def loss(scale: Array) -> Array:
        def critic(x: Array) -> Array:
            return jnp.sum(scale * x, axis=(1, 2, 3))

        return critic_loss(critic, images(1), images(1), np.ones(3), penalty_weight=10.0)[0]

    value, derivative = jax.jit(jax.value_and_grad(loss))(0.0)
    assert value == pytest.approx(10.0)
    assert np.isfinite(derivative)


def test_generator_loss_is_minus_the_mean() -> None:
    x = images(4)
    assert generator_loss(lambda x: x[:, 0, 0, 0], x) == pytest.approx(-np.mean(x[:, 0, 0, 0]))


def test_critic_loss_gradients_match_finite_differences() -> None:
    with jax.enable_x64(True):
        critic = Critic((3, 4, 5), 0.2)
        real, fake = (np.random.default_rng(seed).normal(size=(2, 8, 8, 3)) for seed in (5, 6))
        mix = np.array([0.25, 0.7])
        params = jax.jit(critic.init)(jax.random.key(0), real)["params"]
        leaves, structure = jax.tree.flatten(params)
        assert all(leaf.dtype == np.float64 for leaf in leaves)

        @jax.jit
        def loss(leaves: list[Array]) -> Array:
            params = jax.tree.unflatten(structure, leaves)
            return critic_loss(
                lambda x: critic.apply({"params": params}, x), real, fake, mix, penalty_weight=10.0
            )[0]

        gradients = jax.jit(jax.grad(loss))(leaves)
        rng = np.random.default_rng(7)
        for index, gradient in enumerate(gradients):
            direction = rng.normal(size=gradient.shape)
            direction /= np.linalg.norm(direction)

            def loss_at(step: float, index: int = index, d: np.ndarray = direction) -> float:
                perturbed = list(leaves)
                perturbed[index] = leaves[index] + step * d
                return float(loss(perturbed))

            expected = (loss_at(1e-6) - loss_at(-1e-6)) / 2e-6
            assert np.sum(gradient * direction) == pytest.approx(expected, rel=1e-5, abs=1e-6)
