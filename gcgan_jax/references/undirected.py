"""Operators on the undirected graph of given edges, with its adjacency matrix."""

import numpy as np
from numpy import ndarray


def adjacency(neighbours: ndarray, weights: ndarray) -> ndarray:
    """[B, N, N]: A_ij = A_ji = largest weight of the edges between i and j, A_ii = 0."""
    B, N, k = neighbours.shape
    a = np.zeros((B, N, N))
    for b, i, e in np.ndindex(B, N, k):
        j = neighbours[b, i, e]
        if i != j:
            a[b, i, j] = a[b, j, i] = max(a[b, i, j], weights[b, i, e])
    return a


def normalised(a: ndarray) -> ndarray:
    """D^-1/2 A D^-1/2, with D^-1/2 = 0 at nodes without edges."""
    out = np.zeros_like(a)
    for b, i, j in np.ndindex(a.shape):
        if a[b, i, j]:
            out[b, i, j] = a[b, i, j] / np.sqrt(sum(a[b, i]) * sum(a[b, j]))
    return out


def gcn(h: ndarray, neighbours: ndarray, w: ndarray, weights: ndarray) -> ndarray:
    """out = D~^-1/2 (A + I) D~^-1/2 h W, A being that of k times the weights."""
    B, N, k = neighbours.shape
    a = normalised(adjacency(neighbours, k * weights) + np.eye(N))
    out = np.zeros((B, N, w.shape[1]))
    for b, i, j in np.ndindex(B, N, N):
        out[b, i] += a[b, i, j] * h[b, j] @ w
    return out


def chebyshev_conv(h: ndarray, neighbours: ndarray, w: ndarray, weights: ndarray) -> ndarray:
    """out = sum_t T_t(L~) h W_t, with all T_t(L~) as matrices."""
    laplacian = -normalised(adjacency(neighbours, weights))
    polynomials = [np.broadcast_to(np.eye(h.shape[1]), laplacian.shape), laplacian]
    while len(polynomials) < len(w):
        polynomials.append(2 * laplacian @ polynomials[-1] - polynomials[-2])
    return sum(t @ h @ w_t for t, w_t in zip(polynomials, w, strict=True))
