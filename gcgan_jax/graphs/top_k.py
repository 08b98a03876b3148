"""Selection of the k largest values of each row.

R rows of N values.
"""

import math

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, Int32


def select(values: Float[Array, "R N"], k: int) -> Int32[Array, "R {k}"]:
    """Return the columns of the k largest values of each row, largest first."""
    return lax.top_k(values, k)[1]


def select_by_maxima(values: Float[Array, "R N"], k: int) -> Int32[Array, "R {k}"]:
    """Compute `select` from maxima alone: exactly the same columns in the same order.

    Columns are split into groups, each represented by its largest value. In each of k steps, the
    best group's value is selected and replaced by the next largest of that group. A step reads
    N / group + group values instead of N.
    """
    R, N = values.shape
    group = math.gcd(N, 32)
    groups = N // group
    grouped = values.reshape(R * groups, group)
    group_index = lax.broadcasted_iota(jnp.int32, (groups, R), 0)

    def select_next(
        carry: tuple[Array, Array, Array], _: None
    ) -> tuple[tuple[Array, Array, Array], Array]:
        maxima, last_value, last_column = carry  # [groups, R], and the last selection [R]
        best = maxima.max(axis=0)
        chosen = jnp.min(jnp.where(maxima == best[None], group_index, groups - 1), axis=0)
        members = grouped.at[jnp.arange(R) * groups + chosen].get(mode="clip")  # [R, group]
        columns = chosen[:, None] * group + jnp.arange(group, dtype=jnp.int32)[None]

        def ranks_after(value: Array, column: Array) -> Array:
            later = (members == value[:, None]) & (columns > column[:, None])
            return (members < value[:, None]) | later

        is_best = (members == best[:, None]) & ranks_after(last_value, last_column)
        column = jnp.min(jnp.where(is_best, columns, N - 1), axis=-1)
        next_value = jnp.max(jnp.where(ranks_after(best, column), members, -jnp.inf), axis=-1)
        maxima = jnp.where(group_index == chosen[None], next_value[None], maxima)
        return (maxima, best, column), column

    maxima = grouped.max(axis=-1).reshape(R, groups).T
    no_selection = jnp.full((R,), jnp.inf, values.dtype), jnp.full((R,), -1, jnp.int32)
    return lax.scan(select_next, (maxima, *no_selection), length=k)[1].T
