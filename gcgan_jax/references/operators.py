"""Operators on the edges of a graph."""

import numpy as np
from numpy import ndarray

from gcgan_jax.references.layers import leaky_relu


def edge_conv(
    h: ndarray, neighbours: ndarray, phi: ndarray, psi: ndarray, reduction: str = "sum"
) -> ndarray:
    """Thesis eq. 3.21: out_i = sum_j ReLU( phi (h_j - h_i) + psi h_i )."""
    B, N, k = neighbours.shape
    out = np.zeros((B, N, phi.shape[1]))
    for b, i in np.ndindex(B, N):
        messages = [
            np.maximum((h[b, j] - h[b, i]) @ phi + h[b, i] @ psi, 0) for j in neighbours[b, i]
        ]
        out[b, i] = {"sum": sum, "mean": lambda m: sum(m) / k, "max": lambda m: np.max(m, axis=0)}[
            reduction
        ](messages)
    return out


def attention(h_i: ndarray, h_j: ndarray, delta: float | None) -> float:
    """Thesis eq. 3.15; 1 without attention."""
    return 1.0 if delta is None else np.exp(-np.sum((h_j - h_i) ** 2) / delta)


def ecc(
    h: ndarray,
    neighbours: ndarray,
    w1: ndarray,
    b1: ndarray,
    w2: ndarray,
    b2: ndarray,
    delta: float | None,
    slope: float,
) -> ndarray:
    """Thesis eq. 3.14 and 3.15, materialising Theta_ij [C, O] of every edge."""
    B, N, k = neighbours.shape
    out = np.zeros((B, N, b2.shape[1]))
    for b, i in np.ndindex(B, N):
        for j in neighbours[b, i]:
            a = (h[b, j] - h[b, i]) @ w1 + b1
            a = leaky_relu(a, slope)
            theta = b2 + sum(a[f] * w2[f] for f in range(len(a)))
            out[b, i] += attention(h[b, i], h[b, j], delta) * h[b, j] @ theta / k
    return out


def aggregate(h: ndarray, neighbours: ndarray, w: ndarray, weights: ndarray) -> ndarray:
    """out_i = sum_j w_ij W h_j."""
    B, N, k = neighbours.shape
    out = np.zeros((B, N, w.shape[1]))
    for b, i, e in np.ndindex(B, N, k):
        out[b, i] += weights[b, i, e] * h[b, neighbours[b, i, e]] @ w
    return out


def max_relative(h: ndarray, neighbours: ndarray, w: ndarray, weights: ndarray) -> ndarray:
    """out_i = W [ h_i ; max_j k w_ij (h_j - h_i) ]."""
    B, N, k = neighbours.shape
    out = np.zeros((B, N, w.shape[1]))
    for b, i in np.ndindex(B, N):
        edges = zip(neighbours[b, i], weights[b, i], strict=True)
        differences = [k * weight * (h[b, j] - h[b, i]) for j, weight in edges]
        out[b, i] = np.concatenate([h[b, i], np.max(differences, axis=0)]) @ w
    return out


def global_context(h: ndarray, w: ndarray) -> ndarray:
    """out_i = W mean_j h_j."""
    B, N, _ = h.shape
    out = np.zeros((B, N, w.shape[1]))
    for b, i, j in np.ndindex(B, N, N):
        out[b, i] += h[b, j] @ w / N
    return out


def self_attention(h: ndarray, w_f: ndarray, w_g: ndarray, w_h: ndarray, w_v: ndarray) -> ndarray:
    """Thesis eq. 4.2: out_i = W_v sum_j softmax_j( (W_f h_i) . (W_g h_j) ) W_h h_j."""
    B, N, _ = h.shape
    out = np.zeros((B, N, w_v.shape[1]))
    for b, i in np.ndindex(B, N):
        exponentials = [np.exp((h[b, i] @ w_f) @ (h[b, j] @ w_g)) for j in range(N)]
        for j in range(N):
            out[b, i] += exponentials[j] / sum(exponentials) * (h[b, j] @ w_h) @ w_v
    return out
