"""The k nearest nodes by one Pallas kernel, for GPUs and TPUs: without a sort or a loop of kernels.

N nodes, padded to P; R of them, whose neighbours are selected, padded to whole blocks; k neighbours
in K columns of the output.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton
from jaxtyping import Float, Int, Int32

from gcgan_jax.graphs.geometry import chebyshev

Ref = Any  # a block of an array, in Pallas


def nearest_by_kernel(
    h: Float[Array, "N F"],
    h_i: Float[Array, "R F"],
    i: Int[Array, "R"],
    *,
    width: int,
    k: int,
    exclude: int = 1,
    block: int = 2**13,
    lanes: int | None = None,
    **options: Any,
) -> Int32[Array, "R {k}"]:
    """Return the k nearest nodes outside the window of each node i, nearest first.

    One matmul computes all products h_i . h_j. Then each program of the kernel reads a block of
    rows once, and k times takes each row's smallest distance and its first column.

    Args:
        h_i: features of the nodes i.
        exclude: Chebyshev radius of the window.
        block: most distances of a program, but for a single row: they stay in registers (GPU) or
            fast memory (TPU).
        lanes: what the sizes of last axes are multiples of; None: they are powers of two.
        options: further arguments of `pallas_call`.
    """
    (N, _), R = h.shape, len(i)
    P, K = _padded(N, lanes), _padded(k, lanes)
    rows = min(_power_of_two(R), 128, max(1, block // P))
    if lanes:
        rows = max(rows, 8)
    padded_rows = -(-R // rows) * rows
    h = jnp.pad(h, ((0, P - N), (0, 0)))
    h_i = jnp.pad(h_i, ((0, padded_rows - R), (0, 0)))
    i = jnp.pad(i.astype(jnp.int32), (0, padded_rows - R))
    products = jnp.matmul(h_i, h.T, precision=lax.Precision.HIGHEST)
    squares = jnp.sum(h * h, axis=-1)[None]
    selected = pl.pallas_call(
        partial(_select_nearest, nodes=N, width=width, k=k, exclude=exclude),
        jax.ShapeDtypeStruct((padded_rows, K), jnp.int32),
        grid=(padded_rows // rows,),
        in_specs=[
            pl.BlockSpec((rows, 1), lambda program: (program, 0)),
            pl.BlockSpec((1, P), lambda program: (0, 0)),
            pl.BlockSpec((rows, P), lambda program: (program, 0)),
        ],
        out_specs=pl.BlockSpec((rows, K), lambda program: (program, 0)),
        name="select_nearest",
        **options,
    )(i[:, None], squares, products)
    return selected[:R, :k]


def _select_nearest(
    i_ref: Ref,
    squares_ref: Ref,
    products_ref: Ref,
    out_ref: Ref,
    *,
    nodes: int,
    width: int,
    k: int,
    exclude: int,
) -> None:
    """Select from the distances ||h_j||^2 - 2 h_i . h_j of a block of rows i to all columns j."""
    products = products_ref[...]
    columns = lax.broadcasted_iota(jnp.int32, products.shape, 1)
    excluded = (chebyshev(i_ref[...], columns, width) <= exclude) | (columns >= nodes)
    distances = jnp.where(excluded, jnp.inf, squares_ref[...] - 2 * products)
    steps = lax.broadcasted_iota(jnp.int32, out_ref.shape, 1)

    def select(step: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        distances, selected = carry
        smallest = jnp.min(distances, axis=1, keepdims=True)
        first = jnp.where(distances == smallest, columns, nodes - 1)
        first = jnp.min(first, axis=1, keepdims=True)
        remaining = jnp.where(columns == first, jnp.inf, distances)
        return remaining, jnp.where(steps == step, first, selected)

    carry = distances, jnp.zeros(out_ref.shape, jnp.int32)
    out_ref[...] = lax.fori_loop(0, k, select, carry)[1]


def _padded(size: int, lanes: int | None) -> int:
    return -(-size // lanes) * lanes if lanes else _power_of_two(size)


def _power_of_two(size: int) -> int:
    """Return the smallest power of two that is not below a size."""
    return 1 << (size - 1).bit_length()


ON_GPU = partial(nearest_by_kernel, compiler_params=triton.CompilerParams())
ON_TPU = partial(nearest_by_kernel, block=2**19, lanes=128)
