"""EdgeConv on the edges of a given graph.

B images, N nodes, k neighbours, C features in (coordinates included), F' = O features out.
"""

from functools import partial, reduce
from typing import Annotated

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax.linen.dtypes import promote_dtype
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Int

from gcgan_jax.arrays import AnyArray
from gcgan_jax.graphs.gather import gather_nodes
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.graphs.tiling import map_images
from gcgan_jax.layers.linear import at_least_float32, linear
from gcgan_jax.ranges import OneOf


@jax.named_scope("edge_conv")
def edge_conv(
    h: Float[AnyArray, "B N C"],
    neighbours: Int[AnyArray, "B N k"],
    phi: Float[AnyArray, "C O"],
    psi: Float[AnyArray, "C O"],
    reduction: str = "sum",
    weights: Float[AnyArray, "B N k"] | None = None,
) -> Float[Array, "B N O"]:
    """Compute EdgeConv, thesis eq. 3.21 (Wang et al. 2019, arXiv:1801.07829):

        out_i = sum_j ReLU( phi (h_j - h_i) + psi h_i )

    as ReLU( phi h_j + (psi - phi) h_i ): two matmuls per node instead of two per edge. Both terms
    stay in float32 until they are added, because they may be large compared with their sum.

    Args:
        h: features.
        neighbours: node indices j.
        phi, psi: weight matrices.
        reduction: reduction over the neighbours: "sum", "mean" or "max".
        weights: edge weights; each message is multiplied by k times its weight. None: unweighted.

    Raises:
        ValueError: the reduction is unknown.

    Example:
        >>> h = jnp.array([[[1.0], [2.0], [6.0]]])
        >>> neighbours = jnp.array([[[1], [2], [0]]])
        >>> phi, psi = jnp.ones((1, 1)), jnp.zeros((1, 1))
        >>> edge_conv(h, neighbours, phi, psi)[0, :, 0].tolist()  # ReLU(h_j - h_i)
        [1.0, 4.0, 0.0]
    """
    if reduction not in ("sum", "mean", "max"):
        raise ValueError(f"reduction = {reduction!r}: choose 'sum', 'mean' or 'max'")
    dtype = at_least_float32(h.dtype)
    terms = linear(h, phi, dtype), linear(h, psi - phi, dtype)
    k, O = neighbours.shape[-1], phi.shape[-1]
    out = map_images(
        partial(_aggregate, reduction),
        *(*terms, neighbours, *([] if weights is None else [weights])),
        image_bytes=terms[0].itemsize * h.shape[1] * k * O,
        on_cpu=partial(_aggregate_by_neighbour, reduction),
    )
    return (out / k if reduction == "mean" else out).astype(h.dtype)


def _aggregate(
    reduction: str,
    neighbour_term: Float[Array, "N O"],
    self_term: Float[Array, "N O"],
    neighbours: Int[Array, "N k"],
    *weights: Float[Array, "N k"],
) -> Float[Array, "N O"]:
    """Return the sum or maximum of one image's messages."""
    messages = jax.nn.relu(gather_nodes(neighbour_term, neighbours) + self_term[:, None])
    if weights:
        messages = messages * (neighbours.shape[-1] * weights[0][..., None])
    return messages.max(axis=1) if reduction == "max" else messages.sum(axis=1)


def _aggregate_by_neighbour(
    reduction: str,
    neighbour_term: Float[Array, "N O"],
    self_term: Float[Array, "N O"],
    neighbours: Int[Array, "N k"],
    *weights: Float[Array, "N k"],
) -> Float[Array, "N O"]:
    """Compute `_aggregate` without a k times larger array of messages, which is faster on a CPU."""
    k = neighbours.shape[-1]

    def message(j: int) -> Array:
        h_j = gather_nodes(neighbour_term, neighbours[:, j : j + 1])[:, 0]
        message = jax.nn.relu(h_j + self_term)
        return message * (k * weights[0][:, j, None]) if weights else message

    return reduce(jnp.maximum if reduction == "max" else jnp.add, map(message, range(k)))


class EdgeConv(nn.Module):
    """`edge_conv` with Glorot normal weights, computed in `dtype` (None: that of the inputs).

    Example:
        >>> h, neighbours = jnp.ones((1, 3, 4)), Neighbours(jnp.array([[[1], [2], [0]]]))
        >>> variables = EdgeConv(features=5).init(jax.random.key(0), h, neighbours)
        >>> jax.tree.map(jnp.shape, variables["params"])
        {'phi': (4, 5), 'psi': (4, 5)}
    """

    features: int
    reduction: Annotated[str, OneOf(("sum", "mean", "max"))] = "sum"
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(
        self, h: Float[AnyArray, "B N C"], neighbours: Neighbours
    ) -> Float[Array, "B N {self.features}"]:
        shape = (h.shape[-1], self.features)
        phi = self.param("phi", nn.initializers.glorot_normal(), shape, float)
        psi = self.param("psi", nn.initializers.glorot_normal(), shape, float)
        h, phi, psi = promote_dtype(h, phi, psi, dtype=self.dtype)
        return edge_conv(h, neighbours.indices, phi, psi, self.reduction, neighbours.weights)
