"""The network that generates the low-rank edge weights of lightweight ECC.

C features in, of which the last are 2 coordinates, F = C - 2, O features out, Fh = F hidden width,
r rank, m replicas of a circulant layer.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from gcgan_jax.arrays import AnyArray

ALIGNED = 8  # divides the hidden width: a CPU scatters such rows up to twice as fast


class LowRankNetwork(NamedTuple):
    """Parameters of the network that maps h_j - h_i to the factors of the edge's weights Theta_ij.

    The last axes of `w_left` and `w_right` are those of one replica: P = F / m and Q = O / m.
    """

    w1: Float[AnyArray, "C Fh"]
    b1: Float[AnyArray, "Fh"]
    w_kappa: Float[AnyArray, "Fh r"]
    w_left: Float[AnyArray, "Fh r P"]
    w_right: Float[AnyArray, "Fh r Q"]


def expand(network: LowRankNetwork) -> LowRankNetwork:
    """Return the same network with full layers, and a hidden width that ALIGNED divides."""
    replicas = len(network.b1) // network.w_left.shape[2]
    return LowRankNetwork(
        w1=_pad(network.w1.T).T,
        b1=_pad(network.b1),
        w_kappa=_pad(network.w_kappa),
        w_left=_pad(_full(network.w_left, replicas)),
        w_right=_pad(_full(network.w_right, replicas)),
    )


def _full(w: Float[AnyArray, "Fh r Q"], m: int) -> Float[Array, "Fh r {m}*Q"]:
    """Return all m replicas of a circulant layer's weights."""
    return jnp.concatenate([jnp.roll(w, -p * len(w) // m, axis=0) for p in range(m)], axis=-1)


def _pad(w: Float[AnyArray, "Fh ..."]) -> Float[Array, "units ..."]:
    """Add weights of zero for further hidden units."""
    return jnp.pad(w, [(0, -len(w) % ALIGNED)] + [(0, 0)] * (w.ndim - 1))
