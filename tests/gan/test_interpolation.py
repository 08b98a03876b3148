"""Ways between latents: closed forms, and both against numpy."""

import jax
import numpy as np
import pytest

from gcgan_jax.gan.interpolation import linear, spherical, through

T = np.array([0.0, 0.25, 0.5, 1.0])


def test_spherical_turns_at_a_constant_rate() -> None:
    a, b = np.array([2.0, 0, 0]), np.array([0, 2.0, 0])
    with jax.enable_x64(True):
        found = jax.jit(spherical)(a, b, T)
    wanted = [[2 * np.cos(t * np.pi / 2), 2 * np.sin(t * np.pi / 2), 0] for t in T]
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_both_against_numpy() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 7))
    angle = np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    with jax.enable_x64(True):
        curved, straight = spherical(a, b, T), linear(a, b, T)
    for t, one, other in zip(T, curved, straight, strict=True):
        wanted = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
        np.testing.assert_allclose(one, wanted, rtol=1e-9)
        np.testing.assert_allclose(other, a + t * (b - a), rtol=1e-12)


@pytest.mark.parametrize("sign", [1, -1])
def test_of_parallel_latents_the_spherical_way_is_the_linear_one(sign: int) -> None:
    a = np.array([1.0, 2.0])
    np.testing.assert_allclose(spherical(a, sign * 3 * a, T), linear(a, sign * 3 * a, T), rtol=1e-6)


def test_through_all_waypoints() -> None:
    waypoints = np.random.default_rng(0).normal(size=(4, 5))
    found = through(waypoints, 3, spherical)
    assert found.shape == (10, 5)
    np.testing.assert_allclose(found[::3], waypoints, rtol=1e-5)
