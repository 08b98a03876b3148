"""Latent interpolation against closed forms and numpy."""

import jax
import numpy as np
import pytest

from gcgan_jax.gan.interpolation import latent_path, linear, spherical

T = np.array([0.0, 0.25, 0.5, 1.0])


def test_spherical_rotates_at_a_constant_rate() -> None:
    a, b = np.array([2.0, 0, 0]), np.array([0, 2.0, 0])
    with jax.enable_x64(True):
        actual = jax.jit(spherical)(a, b, T)
    expected = [[2 * np.cos(t * np.pi / 2), 2 * np.sin(t * np.pi / 2), 0] for t in T]
    np.testing.assert_allclose(actual, expected, atol=1e-12)


def test_interpolations_match_numpy() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 7))
    angle = np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    with jax.enable_x64(True):
        spherical_path, linear_path = spherical(a, b, T), linear(a, b, T)
    for t, on_sphere, on_line in zip(T, spherical_path, linear_path, strict=True):
        expected = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
        np.testing.assert_allclose(on_sphere, expected, rtol=1e-9)
        np.testing.assert_allclose(on_line, a + t * (b - a), rtol=1e-12)


@pytest.mark.parametrize("sign", [1, -1])
def test_spherical_is_linear_between_parallel_latents(sign: int) -> None:
    a = np.array([1.0, 2.0])
    np.testing.assert_allclose(spherical(a, sign * 3 * a, T), linear(a, sign * 3 * a, T), rtol=1e-6)


def test_path_passes_through_all_waypoints() -> None:
    waypoints = np.random.default_rng(0).normal(size=(4, 5))
    path = latent_path(waypoints, 3, spherical)
    assert path.shape == (10, 5)
    np.testing.assert_allclose(path[::3], waypoints, rtol=1e-5)
