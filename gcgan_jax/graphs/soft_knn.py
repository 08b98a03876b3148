"""kNN in learned features, with edge weights that carry a gradient to the choice of neighbours.

B images, H rows, W columns, N = H * W nodes (pixels, row-major), F features, k neighbours. `size`
is H and W, or N alone for a point set.
"""

from typing import Annotated

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, Key

from gcgan_jax.arrays import AnyArray
from gcgan_jax.graphs.gather import edge_distances, edge_products
from gcgan_jax.graphs.knn import Selection
from gcgan_jax.graphs.nearest import check_candidates, nearest
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.ranges import Free, Interval, OneOf

Metric = Annotated[str, OneOf(("euclidean", "product"))]


@jax.named_scope("soft_knn")
def soft_knn(
    x: Float[AnyArray, "B *size F"],
    w_q: Float[AnyArray, "F D"],
    w_p: Float[AnyArray, "F D"],
    temperature: Float[AnyArray, ""],
    k: int,
    *,
    metric: str = "euclidean",
    frozen: bool = False,
    selection: str = "auto",
) -> Neighbours:
    """Connect each node i to the k nearest p_j outside its 3x3 window, or of all other points:

        q = W_q x, p = W_p x,  w_ij = softmax over these j of -||q_i - p_j||^2 / temperature

    With the metric "product", these are the k largest q_i . p_j, which take the place of the
    negative distances, as in attention. Only there, a p_j can be near to all q_i.

    The weights' gradient reaches W_q, W_p and x, and so the choice of neighbours. (N3Net, Ploetz &
    Roth 2018, arXiv:1810.12575, relaxes the selection itself instead.) Distances are taken in at
    least float32.

    Args:
        frozen: no gradient flows to q and p, so that only the temperature is learned.
        selection: see `graphs.nearest.nearest`.

    Raises:
        ValueError: fewer than k nodes are outside the window, or an image side is below 4.

    Example:
        >>> points, one = jnp.array([[[0.0], [1.0], [3.0]]]), jnp.ones((1, 1))
        >>> indices, weights = soft_knn(points, one, one, temperature=jnp.array(8.0), k=2)
        >>> indices[0, 1].tolist()
        [0, 2]
        >>> print(np.asarray(weights[0, 1]).round(3))  # softmax of -1 / 8 and -4 / 8
        [0.593 0.407]
    """
    B, *size, F = x.shape
    check_candidates(tuple(size), k)
    rows = jnp.asarray(x).reshape(-1, F)
    rows = rows.astype(jnp.promote_types(rows.dtype, jnp.float32))
    q, p = ((rows @ w.astype(rows.dtype)).reshape(B, -1, w.shape[-1]) for w in (w_q, w_p))
    if frozen:
        q, p = lax.stop_gradient((q, p))
    fixed_q, fixed_p = lax.stop_gradient((q, p))
    if metric == "product":
        fixed_q, fixed_p = with_equal_norms(fixed_q, fixed_p)
    indices = nearest(fixed_p, fixed_q, tuple(size), k=k, selection=selection)
    logits = edge_products(p, q, indices) if metric == "product" else -edge_distances(p, q, indices)
    return Neighbours(indices, jax.nn.softmax(logits / temperature, axis=-1))


def with_equal_norms(
    q: Float[Array, "B N D"], p: Float[Array, "B N D"]
) -> tuple[Float[Array, "B N D+1"], Float[Array, "B N D+1"]]:
    """Append a feature so that the nearest p_j are those of the largest q_i . p_j:

    ||(q_i, 0) - (p_j, sqrt(M - ||p_j||^2))||^2 = ||q_i||^2 + M - 2 q_i . p_j,  M = max_j ||p_j||^2
    """
    squared = jnp.sum(p**2, axis=-1, keepdims=True)
    missing = jnp.sqrt(jnp.max(squared, axis=1, keepdims=True) - squared)
    return (
        jnp.concatenate([q, jnp.zeros_like(missing)], axis=-1),
        jnp.concatenate([p, missing], axis=-1),
    )


class SoftKNN(nn.Module):
    """`soft_knn` with `features` learned features, without bias, and a learned temperature.

    The weights are initialised Glorot normal, the temperature as `temperature`.

    Example:
        >>> graph, x = SoftKNN(k=4, features=2), jnp.ones((1, 4, 4, 3))
        >>> neighbours, variables = graph.init_with_output(jax.random.key(0), x)
        >>> jax.tree.map(jnp.shape, variables["params"])
        {'log_temperature': (), 'w_p': (3, 2), 'w_q': (3, 2)}
        >>> neighbours.weights.shape
        (1, 16, 4)
    """

    k: Annotated[int, Interval(1, 2**16)] = 8
    features: Annotated[int, Interval(1, 2**12)] = 16
    temperature: Annotated[float, Interval(0, 1e6, open_low=True)] = 1.0
    metric: Metric = "euclidean"
    frozen: Annotated[bool, Free()] = False
    selection: Selection = "auto"

    @nn.compact
    def __call__(
        self, x: Float[AnyArray, "B *size F"], keys: Key[Array, "B"] | None = None
    ) -> Neighbours:
        """Return the neighbours; the graph is deterministic and ignores the keys."""
        shape = (x.shape[-1], self.features)
        glorot = nn.initializers.glorot_normal()
        start = nn.initializers.constant(jnp.log(self.temperature))
        log_temperature = self.param("log_temperature", start, (), float)
        return soft_knn(
            x,
            self.param("w_q", glorot, shape, float),
            self.param("w_p", glorot, shape, float),
            jnp.exp(log_temperature),
            self.k,
            metric=self.metric,
            frozen=self.frozen,
            selection=self.selection,
        )

    def check(self, height: int, width: int) -> None:
        """Raise ValueError if k does not fit a feature map of this size."""
        check_candidates((height, width), self.k)
