"""Diagnostics of graph layers: loops and closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gcgan_jax.evaluation.layer_diagnostics import (
    distance_ratio,
    explained_by_inputs,
    hub_share,
    linear_cka,
    news,
    query_independence,
)

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(2, 4, 25, 3)).astype(np.float32)
NEIGHBOURS = RNG.integers(25, size=(4, 25, 2))


def test_news() -> None:
    assert jax.jit(news)(X, X + 5) == pytest.approx(0, abs=1e-6)  # centred per channel
    centred = X - X.mean(axis=(0, 1))
    of_self = Y - Y.mean(axis=(0, 1))
    expected = np.sqrt(np.sum((centred - of_self) ** 2) / np.sum(centred**2))
    assert jax.jit(news)(X, Y) == pytest.approx(expected, rel=1e-5)


def test_distance_ratio() -> None:
    along = [
        np.sum((X[b, i] - X[b, j]) ** 2) for b, i in np.ndindex(4, 25) for j in NEIGHBOURS[b, i]
    ]
    pairs = [np.sum((X[b, i] - X[b, j]) ** 2) for b, i, j in np.ndindex(4, 25, 25)]
    actual = jax.jit(distance_ratio)(X, NEIGHBOURS)
    assert actual == pytest.approx(np.mean(along) / np.mean(pairs), rel=1e-4)
    everything = np.broadcast_to(np.arange(25), (4, 25, 25))
    assert jax.jit(distance_ratio)(X, everything) == pytest.approx(1, rel=1e-4)


def test_hub_share() -> None:
    shares = [max(np.bincount(edges.ravel(), minlength=25)) / 50 for edges in NEIGHBOURS]
    assert jax.jit(hub_share)(NEIGHBOURS) == pytest.approx(np.mean(shares))
    assert jax.jit(hub_share)(np.full((2, 300, 4), 7)) == 1
    cycle = np.broadcast_to((np.arange(300)[:, None] + 1) % 300, (2, 300, 1))
    assert jax.jit(hub_share)(cycle) == pytest.approx(0.01)


def test_cka_ignores_rotations_and_scales() -> None:
    rotation, _ = np.linalg.qr(RNG.normal(size=(3, 3)))
    assert jax.jit(linear_cka)(X, 7 * X @ rotation.astype("f") + 1) == pytest.approx(1, rel=1e-5)
    x, y = ((a - a.mean(axis=(0, 1))).reshape(100, 3).astype(float) for a in (X, Y))
    gram_x, gram_y = x @ x.T, y @ y.T
    expected = np.sum(gram_x * gram_y) / np.sqrt(np.sum(gram_x**2) * np.sum(gram_y**2))
    assert jax.jit(linear_cka)(X, Y) == pytest.approx(expected, rel=1e-4)


def test_explained_by_inputs() -> None:
    linear = X @ RNG.normal(size=(3, 2)).astype("f") + 2
    assert jax.jit(explained_by_inputs)(X, linear) == pytest.approx(1, abs=1e-4)
    design = np.concatenate([X.reshape(100, 3), np.ones((100, 1))], axis=1)
    y = Y.reshape(100, 3)
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    expected = 1 - np.sum(residual**2) / np.sum((y - y.mean(axis=0)) ** 2)
    assert jax.jit(explained_by_inputs)(X, Y) == pytest.approx(expected, abs=1e-4)
    collinear = jnp.concatenate([X, X], axis=-1)
    assert jax.jit(explained_by_inputs)(collinear, Y) == pytest.approx(expected, abs=1e-3)


def test_query_independence() -> None:
    shared = np.broadcast_to(X[:, :1], X.shape)
    assert jax.jit(query_independence)(shared + X[:1]) == pytest.approx(1, rel=1e-5)
    many = RNG.normal(size=(500, 25, 3)).astype(np.float32)
    assert jax.jit(query_independence)(many) == pytest.approx(1 / 25, rel=0.1)
