"""The interpreted kernel equals the reference in every index: distances of integers are exact."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import use_abstract_mesh

from gcgan_jax import references
from gcgan_jax.graphs.kernel import nearest_by_kernel
from gcgan_jax.graphs.knn import knn
from gcgan_jax.graphs.nearest import in_tiles
from scripts.benchmark.aot_kernel import SHAPES
from scripts.benchmark.targets import CHIPS, abstract_mesh


def interpreted(x: np.ndarray, k: int) -> jax.Array:
    """Compute `knn` by the kernel on a CPU."""
    B, H, W, F = x.shape
    h = jnp.asarray(x, jnp.float32).reshape(B, H * W, F)
    kernel = partial(nearest_by_kernel, width=W, k=k, interpret=True)
    return jax.vmap(lambda h: kernel(h, h, jnp.arange(H * W)))(h)


def features(*shape: int, F: int = 3) -> np.ndarray:
    """Integers of which many are equal, so that there are many ties; [B, H, W, F]."""
    return np.random.default_rng(0).integers(-4, 5, size=(*shape, F)).astype(np.float32)


def nearest(x: np.ndarray, i: int, k: int) -> np.ndarray:
    """Return the k nearest nodes of node i of an image [H, W, F]."""
    h, width = x.reshape(-1, x.shape[-1]), x.shape[1]
    distances = np.sum((h - h[i]) ** 2, axis=-1)
    for j in range(len(h)):
        if references.chebyshev(i, j, width) <= 1:
            distances[j] = np.inf
    return np.argsort(distances, kind="stable")[:k]


@pytest.mark.parametrize(
    ("height", "width"), [(4, 4), (5, 4), (4, 11), (8, 8), (16, 16), (17, 17), (9, 16)]
)
def test_every_index_equals_the_reference(height: int, width: int) -> None:
    x, N = features(2, height, width), height * width
    expected = references.knn(x, N - 9)
    for k in [k for k in (1, 8, 32, N - 9) if k <= N - 9]:
        actual = jax.jit(interpreted, static_argnums=1)(x, k)
        np.testing.assert_array_equal(actual, expected[..., :k])


@pytest.mark.parametrize("side", [32, pytest.param(64, marks=pytest.mark.slow)])
def test_large_maps(side: int) -> None:
    x = features(1, side, side)
    actual = jax.jit(interpreted, static_argnums=1)(x, 32)[0]
    for i in (0, side - 1, side, side * side // 2 + 5, side * (side - 1), side * side - 1):
        np.testing.assert_array_equal(actual[i], nearest(x[0], i, 32))


def test_some_of_the_nodes() -> None:
    x = features(1, 6, 5)
    kernel = partial(nearest_by_kernel, width=5, k=4, interpret=True)
    actual = jax.jit(partial(in_tiles, kernel, 3))(x.reshape(30, 3))
    np.testing.assert_array_equal(actual[None], references.knn(x, 4))


def test_bfloat16_features() -> None:
    x = features(1, 8, 8)
    actual = jax.jit(interpreted, static_argnums=1)(jnp.asarray(x, jnp.bfloat16), 8)
    np.testing.assert_array_equal(actual, references.knn(x, 8))


def test_vmap_and_pmap() -> None:
    x = features(2, 2, 5, 4)
    expected = [references.knn(images, 3) for images in x]
    np.testing.assert_array_equal(jax.jit(jax.vmap(lambda x: interpreted(x, 3)))(x), expected)
    on_two = jax.pmap(lambda x: interpreted(x, 3), devices=jax.devices()[:2])
    np.testing.assert_array_equal(on_two(x), expected)


def test_nan_features_give_valid_indices() -> None:
    actual = jax.jit(interpreted, static_argnums=1)(np.full((1, 5, 4, 2), np.nan, np.float32), 3)
    assert jnp.all((actual >= 0) & (actual < 20))


@pytest.mark.parametrize("target", CHIPS)
@pytest.mark.parametrize(("nodes", "k"), SHAPES)
def test_it_lowers_without_sort_and_loop(target: str, nodes: int, k: int) -> None:
    side, platform = int(nodes**0.5), CHIPS[target][0]
    x = jax.ShapeDtypeStruct((8, side, side, 66), jnp.float32)
    with use_abstract_mesh(abstract_mesh(target)):
        traced = jax.jit(partial(knn, k=k, selection="kernel")).trace(x)
        text = traced.lower(lowering_platforms=(platform,)).as_text()
    assert "select_nearest" in text
    assert not [op for op in ("sort", "top_k", "while", "gather") if f"stablehlo.{op}" in text]
