"""Self-attention and the global context, which need no graph, against loops."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from gcgan_jax import references
from gcgan_jax.operators.global_context import GlobalContext, global_context
from gcgan_jax.operators.self_attention import Projections, SelfAttention, self_attention
from tests.helpers import assert_agrees


def normal(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape) for shape in shapes]


@pytest.mark.parametrize("N", [1, 7])
def test_self_attention(N: int) -> None:
    assert_agrees(
        lambda h, *w: self_attention(h, Projections(*w)),
        references.self_attention,
        *normal((2, N, 3), (3, 4), (3, 4), (3, 4), (4, 2)),
    )


def test_self_attention_in_tiles_of_rows() -> None:
    """512 nodes take two tiles, 514 two of 257, of which only 2 fit: as one tile would give."""
    weights = normal((3, 4), (3, 4), (3, 4), (4, 2))
    f, g, values, v = weights
    for N in (512, 514):
        (h,) = normal((1, N, 3))
        with jax.enable_x64(True):
            actual = jax.jit(self_attention)(h, Projections(*weights))
            expected = jax.nn.softmax((h @ f) @ (h @ g).swapaxes(1, 2), axis=-1) @ (h @ values) @ v
        np.testing.assert_allclose(actual, expected, rtol=1e-10, atol=1e-12)


def test_self_attention_never_holds_the_weights_of_a_batch() -> None:
    """Of an [8, 1024, 1024] array of float32, 32 MiB, only a part exists, also backwards."""
    h = jax.ShapeDtypeStruct((8, 1024, 18), jnp.float32)
    layer = SelfAttention(features=16)
    variables = jax.eval_shape(layer.init, jax.random.key(0), h)

    def loss(variables: dict, h: Array) -> Array:
        return jnp.sum(layer.apply(variables, h) ** 2)

    compiled = jax.jit(jax.grad(loss, argnums=(0, 1))).lower(variables, h).compile()
    assert compiled.memory_analysis().temp_size_in_bytes < 2**24


def test_large_logits_stay_finite() -> None:
    h, *weights = (1e3 * array.astype(np.float32) for array in normal((1, 5, 3), *[(3, 3)] * 4))
    assert jnp.all(jnp.isfinite(jax.jit(self_attention)(h, Projections(*weights))))


@pytest.mark.parametrize(("C", "inner", "D"), [(68, None, 8), (134, None, 16), (10, 5, 5)])
def test_self_attention_parameters(C: int, inner: int | None, D: int) -> None:
    layer = SelfAttention(features=7, inner=inner)
    params = jax.eval_shape(layer.init, jax.random.key(0), jnp.zeros((1, 4, C)))["params"]
    shapes = {"w_f": (C, D), "w_g": (C, D), "w_h": (C, D), "w_v": (D, 7)}
    assert {name: array.shape for name, array in params.items()} == shapes


@pytest.mark.parametrize("N", [1, 7])
def test_global_context(N: int) -> None:
    assert_agrees(global_context, references.global_context, *normal((2, N, 3), (3, 2)))


@pytest.mark.parametrize("layer", [SelfAttention(features=5), GlobalContext(features=5)])
def test_modules_need_no_graph_and_compute_in_bfloat16(
    layer: SelfAttention | GlobalContext,
) -> None:
    (h,) = normal((2, 6, 4))
    h = jnp.asarray(h, jnp.float32)
    variables = jax.jit(layer.init)(jax.random.key(0), h)
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {jnp.dtype("float32")}
    exact = jax.jit(layer.apply)(variables, h)
    rounded = jax.jit(partial(layer.clone(dtype=jnp.bfloat16).apply))(variables, h)
    assert not layer.needs_graph and rounded.dtype == jnp.bfloat16
    np.testing.assert_allclose(rounded.astype(np.float32), exact, rtol=0.1, atol=0.05)
