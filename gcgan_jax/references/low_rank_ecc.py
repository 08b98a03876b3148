"""Lightweight ECC, materialising the factors and Theta of every edge."""

import numpy as np
from numpy import ndarray

from gcgan_jax.references.layers import leaky_relu
from gcgan_jax.references.operators import attention


def circulant(a: ndarray, w: ndarray, bias: ndarray) -> ndarray:
    """[Fh] -> [r, O]: replica p of w [Fh, r, O / m] applied to a rolled by p Fh / m."""
    replicas = bias.shape[1] // w.shape[2]
    rolled = [np.roll(a, p * len(a) // replicas) for p in range(replicas)]
    return bias + np.concatenate([np.einsum("f,fro->ro", a, w) for a in rolled], axis=1)


def low_rank_ecc(
    h: ndarray,
    neighbours: ndarray,
    w1: ndarray,
    b1: ndarray,
    w_kappa: ndarray,
    b_kappa: ndarray,
    w_left: ndarray,
    b_left: ndarray,
    w_right: ndarray,
    b_right: ndarray,
    *,
    delta: float | None,
    slope: float,
    rms: ndarray,
) -> ndarray:
    """Thesis eq. 3.14, 3.15 and 3.19; edge labels are divided by their image's rms [B].

    With rms given, numerical derivatives take it as constant.
    """
    (B, N, k), (rank, F) = neighbours.shape, b_left.shape
    out = np.zeros((B, N, b_right.shape[1]))
    for b, i in np.ndindex(B, N):
        for j in neighbours[b, i]:
            a = leaky_relu((h[b, j] - h[b, i]) / rms[b] @ w1 + b1, slope)
            kappa = a @ w_kappa + b_kappa
            left, right = circulant(a, w_left, b_left), circulant(a, w_right, b_right)
            theta = sum(kappa[s] * np.outer(right[s], left[s]) for s in range(rank))
            out[b, i] += attention(h[b, i], h[b, j], delta) * theta @ h[b, j, :F] / k
    return out


def edge_rms(h: ndarray, neighbours: ndarray) -> ndarray:
    """[B]: root of the mean of (h_j - h_i)^2 over an image's edges and features."""
    B, N, _ = neighbours.shape
    squares = [[(h[b, neighbours[b, i]] - h[b, i]) ** 2 for i in range(N)] for b in range(B)]
    return np.sqrt(np.mean(squares, axis=(1, 2, 3)))
