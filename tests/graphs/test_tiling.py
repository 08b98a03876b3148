"""How much is computed at a time: the result is the same for any batch, budget and tile."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gcgan_jax import references
from gcgan_jax.graphs.nearest import SELECTIONS, in_tiles
from gcgan_jax.graphs.tiling import CACHE_BYTES, map_images, num_tiles
from gcgan_jax.platforms import Variant, force_variant
from tests.helpers import VARIANTS


@pytest.mark.parametrize(
    ("nodes", "tiles"), [(16 * 16, 1), (32 * 32, 1), (64 * 64, 16), (33 * 32, 2), (1031, 2)]
)
def test_num_tiles(nodes: int, tiles: int) -> None:
    assert num_tiles(nodes, CACHE_BYTES) == tiles
    assert num_tiles(nodes, 1) == nodes


@pytest.mark.parametrize("selection", SELECTIONS)
def test_knn_in_tiles(selection: str) -> None:
    x = np.random.default_rng(0).normal(size=(1, 6, 5, 3)).astype(np.float32)
    nearest = partial(SELECTIONS[selection], width=5, k=4)
    for tiles in (3, 4):  # of 10 nodes, and of 8, with two nodes missing in the last
        actual = jax.jit(partial(in_tiles, nearest, tiles))(x.reshape(30, 3))
        np.testing.assert_array_equal(actual[None], references.knn(x, 4))


@pytest.mark.parametrize("image_bytes", [1, 2**27, 2**29, 2**31])
@pytest.mark.parametrize("variant", VARIANTS)
def test_map_images_matches_a_loop(image_bytes: int, variant: Variant) -> None:
    """All images at a time, eight, two or one, of nine."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 9, 3, 3)).astype(np.float32)
    with force_variant(variant):
        product = jax.jit(lambda x, y: map_images(jnp.matmul, x, y, image_bytes=image_bytes))
        actual = product(x, y)
    expected = [a @ b for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("images", "loops"), [(8, 0), (9, 1)])
def test_an_accelerator_loops_only_over_what_does_not_fit(images: int, loops: int) -> None:
    x = jax.ShapeDtypeStruct((images, 3), jnp.float32)
    function = jax.jit(lambda x: map_images(jnp.sin, x, image_bytes=2**27))
    with force_variant("default"):
        assert function.lower(x).as_text().count("stablehlo.while") == loops
