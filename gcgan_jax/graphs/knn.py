"""k-nearest-neighbour graph over the pixels of an image, or over a set of points.

B images, H rows, W columns, N = H * W nodes (pixels, row-major), F features, k neighbours. `size`
is H and W, or N alone for a point set.
"""

from typing import Annotated

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, Int32, Key

from gcgan_jax.arrays import AnyArray
from gcgan_jax.graphs.gather import edge_distances
from gcgan_jax.graphs.geometry import coordinates
from gcgan_jax.graphs.nearest import SELECTIONS, check_candidates, nearest
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.ranges import Interval, OneOf

Selection = Annotated[str, OneOf(("auto", *SELECTIONS))]


@jax.named_scope("knn")
def knn(
    x: Float[AnyArray, "B *size F"],
    k: int,
    selection: str = "auto",
    *,
    metric: str = "euclidean",
    exclude: int = 1,
    dilation: int = 1,
    position: float = 0.0,
) -> Int32[Array, "B N {k}"]:
    """Return the k nearest neighbours of every node in feature space, outside its 3x3 window.

    Thesis 3.2.2 and 4.2: neighbours j of i have the k smallest ||h_j - h_i||^2 among all pixels
    that the local 3x3 convolution does not cover. Distances are float32 (or float64) at the highest
    matmul precision; ties go to the lower node index. No gradient flows through the graph. A point
    has no window: its neighbours are the nearest other points.

    Args:
        x: features.
        k: neighbours per node, 1 <= k <= N - 9, or N - 1 in a point set.
        selection: see `graphs.nearest.nearest`.
        metric: "euclidean", or "cosine": ||h_j / |h_j| - h_i / |h_i| ||^2 = 2 (1 - cos).
        exclude: Chebyshev radius of the window that is left out: 1 for 3x3, 0 for i alone. In a
            point set, both leave out i alone.
        dilation: d, to take every d-th of the k d nearest (Li et al. 2019, arXiv:1904.03751).
        position: alpha, the weight of the coordinates (in [-1, 1]) appended to the features.

    Returns:
        Node indices, nearest first.

    Raises:
        ValueError: fewer than k * dilation nodes are outside the window, an image side is below
            4, or `exclude` or `position` needs pixels, but x is a point set.

    Example:
        >>> x = jnp.arange(16.0).reshape(1, 4, 4, 1)  # each pixel's feature is its index
        >>> knn(x, k=3)[0, 0].tolist()  # without 1, 4 and 5, which are in the window of pixel 0
        [2, 3, 6]
        >>> points = jnp.array([[[0.0], [1.0], [5.0]]])
        >>> knn(points, k=1)[0, :, 0].tolist()
        [1, 0, 1]
    """
    size = x.shape[1:-1]
    check_candidates(size, k, exclude, dilation)
    h = compared_features(lax.stop_gradient(x), metric, position)
    found = nearest(h, h, size, k=k * dilation, exclude=exclude, selection=selection)
    return found[..., ::dilation]


def compared_features(
    x: Float[AnyArray, "B *size F"], metric: str, position: float
) -> Float[Array, "B N C"]:
    """Return features, in at least float32, whose Euclidean distances are those of the metric.

    With the cosine metric they have length 1, or 0 where all features are 0.
    """
    B, *size, F = x.shape
    h = jnp.asarray(x).reshape(B, -1, F)
    h = h.astype(jnp.promote_types(h.dtype, jnp.float32))
    if position:
        if len(size) == 1:
            raise ValueError(
                f"position = {position} weighs the coordinates of pixels, but a point set has "
                "none: choose 0, and append coordinates to the features"
            )
        coords = jnp.broadcast_to(position * coordinates(*size).astype(h.dtype), (*h.shape[:2], 2))
        h = jnp.concatenate([h, coords], axis=-1)
    if metric == "cosine":
        lengths = jnp.linalg.norm(h, axis=-1, keepdims=True)
        h = h / jnp.maximum(lengths, jnp.finfo(h.dtype).tiny)
    return h


class KNN(nn.Module):
    """Connects each node to its k nearest in feature space, outside a window; see `knn`.

    With a threshold, longer edges have weight 0 and the others 1 / k (thesis 3.10, in distances
    instead of similarities): lengths are ||h_j - h_i||, or 1 - cos with the cosine metric.

    Example:
        >>> points = jnp.array([[[0.0], [1.0], [5.0]]])
        >>> indices, weights = KNN(k=2, threshold=1.0).apply({}, points)
        >>> indices[0].tolist()
        [[1, 2], [0, 2], [1, 0]]
        >>> weights[0].tolist()
        [[0.5, 0.0], [0.5, 0.0], [0.0, 0.0]]
    """

    k: Annotated[int, Interval(1, 2**16)] = 8
    selection: Selection = "auto"
    metric: Annotated[str, OneOf(("euclidean", "cosine"))] = "euclidean"
    exclude: Annotated[int, Interval(0, 512)] = 1
    dilation: Annotated[int, Interval(1, 2**10)] = 1
    position: Annotated[float, Interval(0, 1e3)] = 0.0
    threshold: Annotated[float | None, Interval(0, 1e6)] = None

    def __call__(
        self, x: Float[AnyArray, "B *size F"], keys: Key[Array, "B"] | None = None
    ) -> Neighbours:
        """Return the neighbours; the graph is deterministic and ignores the keys."""
        indices = knn(
            x,
            self.k,
            self.selection,
            metric=self.metric,
            exclude=self.exclude,
            dilation=self.dilation,
            position=self.position,
        )
        if self.threshold is None:
            return Neighbours(indices)
        h = compared_features(lax.stop_gradient(x), self.metric, self.position)
        distances = edge_distances(h, h, indices)
        within = distances <= (2 * self.threshold if self.metric == "cosine" else self.threshold**2)
        return Neighbours(indices, within.astype(h.dtype) / self.k)

    def check(self, height: int, width: int) -> None:
        """Raise ValueError if k does not fit a feature map of this size."""
        check_candidates((height, width), self.k, self.exclude, self.dilation)
