"""EdgeConv on the edges of a given graph.

B images, N nodes, k neighbours, C features in (coordinates included), F' = O features out.
"""

from functools import reduce
from typing import Annotated

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax.linen.dtypes import promote_dtype
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Int

from gcgan_jax.arrays import AnyArray
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
    """
    if reduction not in ("sum", "mean", "max"):
        raise ValueError(f"reduction = {reduction!r}: choose 'sum', 'mean' or 'max'")
    k = neighbours.shape[-1]
    combine = jnp.maximum if reduction == "max" else jnp.add

    def aggregate(
        neighbour_term: Float[Array, "N O"],
        self_term: Float[Array, "N O"],
        neighbours: Int[Array, "N k"],
        *weights: Float[Array, "N k"],
    ) -> Float[Array, "N O"]:
        def message(j: int) -> Array:
            message = jax.nn.relu(neighbour_term[neighbours[:, j]] + self_term)
            return message * (k * weights[0][:, j, None]) if weights else message

        return reduce(combine, map(message, range(k)))

    dtype = at_least_float32(h.dtype)
    terms = linear(h, phi, dtype), linear(h, psi - phi, dtype)
    out = map_images(aggregate, *terms, neighbours, *([] if weights is None else [weights]))
    return (out / k if reduction == "mean" else out).astype(h.dtype)


class EdgeConv(nn.Module):
    """`edge_conv` with Glorot normal weights, computed in `dtype` (None: that of the inputs)."""

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
