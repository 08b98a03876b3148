"""Both ways to select the k largest values."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gcgan_jax.graphs.top_k import select, select_by_maxima


@pytest.mark.parametrize(
    ("N", "k"), [(8, 1), (35, 35), (48, 3), (64, 1), (64, 55), (128, 16), (256, 8), (1024, 64)]
)
def test_both_top_k_variants_agree(N: int, k: int) -> None:
    """Compare them with ties, infinities and excluded columns."""
    rng = np.random.default_rng(N + k)
    values = np.concatenate(
        [
            rng.normal(size=(20, N)),
            rng.integers(-1, 2, size=(20, N)),
            np.zeros((1, N)),
            np.arange(N)[None],
            -np.arange(N)[None],
            np.where(np.arange(N) < N - k, -np.inf, 0)[None],
            np.where(np.arange(N) % 3 == 0, np.inf, rng.normal(size=N))[None],
        ]
    ).astype(np.float32)
    expected = np.argsort(-values, axis=-1, kind="stable")[:, :k]
    assert "top_k" not in str(jax.make_jaxpr(lambda v: select_by_maxima(v, k))(values))
    for selection in (select, select_by_maxima):
        np.testing.assert_array_equal(jax.jit(lambda v, s=selection: s(v, k))(values), expected)


def test_select_by_maxima_returns_valid_columns_for_nan() -> None:
    actual = jax.jit(lambda v: select_by_maxima(v, 5))(jnp.full((3, 64), jnp.nan))
    assert jnp.all((actual >= 0) & (actual < 64))
