"""The k largest values of each row.

R rows of N values.
"""

import math

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, Int32


def select(values: Float[Array, "R N"], k: int) -> Int32[Array, "R {k}"]:
    """Columns of the k largest values of each row, largest first."""
    return lax.top_k(values, k)[1]


def select_by_maxima(values: Float[Array, "R N"], k: int) -> Int32[Array, "R {k}"]:
    """`select`, from maxima alone: exactly the same columns in the same order.

    The largest value of each group of columns stands for it. k times, the best group's value is
    taken and the next one of that group put in its place: N / group + group numbers are looked at
    instead of N.
    """
    R, N = values.shape
    group = math.gcd(N, 32)
    groups = N // group
    grouped = values.reshape(R * groups, group)
    number = lax.broadcasted_iota(jnp.int32, (groups, R), 0)

    def take(
        carry: tuple[Array, Array, Array], _: None
    ) -> tuple[tuple[Array, Array, Array], Array]:
        maxima, value, column = carry  # [groups, R], and what was taken last [R]
        best = maxima.max(axis=0)
        chosen = jnp.min(jnp.where(maxima == best[None], number, groups - 1), axis=0)
        members = grouped.at[jnp.arange(R) * groups + chosen].get(mode="clip")  # [R, group]
        columns = chosen[:, None] * group + jnp.arange(group, dtype=jnp.int32)[None]

        def left_after(value: Array, column: Array) -> Array:
            later = (members == value[:, None]) & (columns > column[:, None])
            return (members < value[:, None]) | later

        is_best = (members == best[:, None]) & left_after(value, column)
        found = jnp.min(jnp.where(is_best, columns, N - 1), axis=-1)
        follows = jnp.max(jnp.where(left_after(best, found), members, -jnp.inf), axis=-1)
        return (jnp.where(number == chosen[None], follows[None], maxima), best, found), found

    maxima = grouped.max(axis=-1).reshape(R, groups).T
    nothing = jnp.full((R,), jnp.inf, values.dtype), jnp.full((R,), -1, jnp.int32)
    return lax.scan(take, (maxima, *nothing), length=k)[1].T
