"""Headroom of images [n, H, W, F] in [-1, 1], with windows of w x w pixels; see the measure."""

from collections.abc import Callable

import numpy as np
from numpy import ndarray

from gcgan_jax.references.graphs import chebyshev


def explained(
    train: ndarray, test: ndarray, w: int, k: int, ridge: float, *, another: bool, weighted: bool
) -> list[tuple[float, float]]:
    """Of each held-out image, sums of ||e_i||^2 and ||e_i - p_i||^2.

    Args:
        another: whether the nodes j are those of the previous image.
        weighted: whether the predictor is the weighted one.
    """
    splits = [[windows(image, w) for image in images] for images in (train, test)]
    s, x = joined(splits[0])
    local, across = regression(s, x, ridge), test.shape[2] - w + 1
    variance = np.mean((x - local(s)) ** 2)
    pairs: list[list[tuple[ndarray, ndarray]]] = []
    for split in splits:
        pairs.append([])
        for b, (s_of_i, x_of_i) in enumerate(split):
            s_of_j, x_of_j = split[b - 1 if another else b]  # before the first image, the last
            messages, residuals = [], []
            for i, js in neighbours(s_of_i, s_of_j, across, w, k).items():
                e = [x_of_j[j] - local(s_of_j[j]) for j in js]
                gamma = [np.exp(-np.mean((s_of_j[j] - s_of_i[i]) ** 2) / variance) for j in js]
                products = [g * e_j for g, e_j in zip(gamma, e, strict=True)]
                messages.append(np.concatenate(e + products) if weighted else sum(e) / k)
                residuals.append(x_of_i[i] - local(s_of_i[i]))
            pairs[-1].append((np.array(messages), np.array(residuals)))
    predict = regression(*joined(pairs[0]), ridge)
    return [(np.sum(e**2), np.sum((e - predict(m)) ** 2)) for m, e in pairs[1]]


def joined(pairs: list[tuple[ndarray, ndarray]]) -> tuple[ndarray, ndarray]:
    """All rows of the first and of the second parts."""
    return np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs])


def windows(image: ndarray, w: int) -> tuple[ndarray, ndarray]:
    """Surrounds [N, (w^2 - 1) F] and values [N, F] of the pixels whose windows are inside."""
    surrounds, pixels = [], []
    for row, column in np.ndindex(image.shape[0] - w + 1, image.shape[1] - w + 1):
        window = image[row : row + w, column : column + w].reshape(w * w, -1)
        surrounds.append(np.concatenate([window[p] for p in range(w * w) if p != w * w // 2]))
        pixels.append(window[w * w // 2])
    return np.array(surrounds), np.array(pixels)


def neighbours(
    surrounds: ndarray, others: ndarray, across: int, w: int, k: int
) -> dict[int, list[int]]:
    """The k nodes of smallest ||s_j - s_i||^2 at a distance of w or more, of each i that has k."""
    chosen = {}
    for i in range(len(surrounds)):
        far = [j for j in range(len(others)) if chebyshev(i, j, across) >= w]
        if len(far) >= k:
            distances = {j: np.sum((others[j] - surrounds[i]) ** 2) for j in far}
            chosen[i] = sorted(far, key=distances.__getitem__)[:k]
    return chosen


def regression(x: ndarray, y: ndarray, ridge: float) -> Callable[[ndarray], ndarray]:
    """Predictor of smallest mean ||y - x W - b||^2 + ridge ||W||^2."""
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    penalty = np.sqrt(len(x) * ridge) * np.eye(x.shape[1])
    a = np.concatenate([x - mean_x, penalty])
    b = np.concatenate([y - mean_y, np.zeros((x.shape[1], y.shape[1]))])
    weights = np.linalg.lstsq(a, b)[0]
    return lambda inputs: mean_y + (inputs - mean_x) @ weights
