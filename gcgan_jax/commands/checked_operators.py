"""The operators that `--mode=check` compares with NumPy references, and their inputs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy import ndarray

from gcgan_jax import references
from gcgan_jax.graphs.soft_knn import soft_knn
from gcgan_jax.layers.conv import conv, strided_conv, upsample_conv
from gcgan_jax.operators.aggregate import aggregate
from gcgan_jax.operators.chebyshev import chebyshev_conv
from gcgan_jax.operators.ecc import FilterNetwork, ecc
from gcgan_jax.operators.edge_conv import edge_conv
from gcgan_jax.operators.gcn import gcn
from gcgan_jax.operators.global_context import global_context
from gcgan_jax.operators.low_rank_ecc import low_rank_ecc
from gcgan_jax.operators.low_rank_network import LowRankNetwork
from gcgan_jax.operators.max_relative import max_relative
from gcgan_jax.operators.self_attention import Projections, self_attention


@dataclass(frozen=True)
class Operator:
    """A function of float arrays, its reference in NumPy loops, and arrays to apply both to."""

    name: str
    function: Callable[..., Array]
    reference: Callable[..., ndarray]
    arrays: tuple[ndarray, ...]


def operators() -> Iterator[Operator]:
    """Yield all operators to check, at sizes that divide neither a tile nor each other."""
    yield from edge_operators()
    yield from weighted_operators()
    yield from other_operators()
    yield from convolutions()


def edge_operators() -> Iterator[Operator]:
    """Yield operators that send messages along given edges."""
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> ndarray:
        return rng.normal(size=shape)

    neighbours = rng.integers(7, size=(2, 7, 3))
    h = normal(2, 7, 4)
    for reduction in ("sum", "mean", "max"):
        yield Operator(
            f"EdgeConv, {reduction}",
            lambda h, phi, psi, r=reduction: edge_conv(h, neighbours, phi, psi, r),
            lambda h, phi, psi, r=reduction: references.edge_conv(h, neighbours, phi, psi, r),
            (h, normal(4, 3), normal(4, 3)),
        )
    for name, delta in {"ECC": 10.0, "ECC without attention": None}.items():
        yield Operator(
            name,
            partial(_ecc, neighbours, delta),
            partial(_ecc_reference, neighbours, delta),
            (h, normal(4, 3), normal(3), normal(3, 4, 2), normal(4, 2)),
        )
    yield Operator(
        "low-rank ECC",
        partial(_low_rank_ecc, neighbours),
        partial(_low_rank_ecc_reference, neighbours, references.edge_rms(h, neighbours)),
        (
            h,
            *(normal(4, 2), normal(2)),  # w1 and its bias
            *(normal(2, 3), normal(2, 3, 1), normal(2, 3, 2)),  # kappa, left and right
        ),
    )


def weighted_operators() -> Iterator[Operator]:
    """Yield operators that send messages along edges with weights."""
    rng = np.random.default_rng(1)
    neighbours = rng.integers(7, size=(2, 7, 3))
    weights = rng.uniform(size=neighbours.shape)
    for name, function, reference, shape in (
        ("aggregate", aggregate, references.aggregate, (4, 3)),
        ("max-relative", max_relative, references.max_relative, (8, 3)),
        ("GCN", gcn, references.gcn, (4, 3)),
        ("Chebyshev", chebyshev_conv, references.chebyshev_conv, (3, 4, 2)),
    ):
        yield Operator(
            name,
            lambda h, w, weights, f=function: f(h, neighbours, w, weights),
            lambda h, w, weights, f=reference: f(h, neighbours, w, weights),
            (_normal(2, 7, 4), rng.normal(size=shape), weights),
        )


def other_operators() -> Iterator[Operator]:
    """Yield operators that need no graph, and what a learned graph computes."""
    h = _normal(2, 7, 4)
    yield Operator(
        "self-attention",
        lambda h, *w: self_attention(h, Projections(*w)),
        references.self_attention,
        (h, _normal(4, 5), _normal(4, 5), _normal(4, 5), _normal(5, 3)),
    )
    yield Operator("global context", global_context, references.global_context, (h, _normal(4, 3)))
    yield Operator(
        "soft kNN's weights",
        lambda x, q, p, t: jnp.asarray(soft_knn(x, q, p, t, 3).weights),
        lambda x, q, p, t: references.soft_knn(x, q, p, t, 3)[1],
        (_normal(1, 4, 5, 3), _normal(3, 2), _normal(3, 2), np.array(1.5)),
    )


def convolutions() -> Iterator[Operator]:
    """Yield the convolutions."""
    x, kernel, same = _normal(1, 4, 6, 2), _normal(3, 3, 2, 3), ((1, 1), (1, 1))
    yield Operator(
        "3x3 convolution",
        lambda x, kernel: conv(x, kernel, same),
        lambda x, kernel: references.conv(x, kernel, same),
        (x, kernel),
    )
    yield Operator(
        "upsampling convolution",
        upsample_conv,
        lambda x, kernel: references.conv(references.upsample(x), kernel, same),
        (x, kernel),
    )
    yield Operator(
        "strided convolution",
        strided_conv,
        partial(references.conv, padding=((1, 2), (1, 2)), stride=2),
        (x, _normal(5, 5, 2, 3)),
    )


def _normal(*shape: int) -> ndarray:
    return np.random.default_rng(len(shape)).normal(size=shape)


def _ecc(neighbours: ndarray, delta: float | None, h: Array, *weights: Array) -> Array:
    return ecc(h, neighbours, FilterNetwork(*weights), delta=delta, slope=0.2)


def _ecc_reference(
    neighbours: ndarray, delta: float | None, h: ndarray, *weights: ndarray
) -> ndarray:
    w1, b1, w2, b2 = weights
    return references.ecc(h, neighbours, w1, b1, w2, b2, delta, 0.2)


def _low_rank_ecc(neighbours: ndarray, h: Array, *weights: Array) -> Array:
    network = LowRankNetwork(*weights)
    return low_rank_ecc(h, neighbours, network, delta=10.0, slope=0.2, normalise=True)


def _low_rank_ecc_reference(
    neighbours: ndarray, rms: ndarray, h: ndarray, *weights: ndarray
) -> ndarray:
    return references.low_rank_ecc(h, neighbours, *weights, delta=10.0, slope=0.2, rms=rms)
