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
    """EdgeConv, thesis eq. 3.21 (Wang et al. 2019, arXiv:1801.07829):

        out_i = sum_j ReLU( phi (h_j - h_i) + psi h_i )

    computed as ReLU( phi h_j + (psi - phi) h_i ): two products a node instead of two an edge. Both
    stay float32 until they are added, as they may be large beside their sum.

    Args:
        h: features.
        neighbours: node numbers.
        phi, psi: weights.
        reduction: over the neighbours, "sum", "mean" or "max".
        weights: of edges, by k times which messages are multiplied; None: by 1.

    Raises:
        ValueError: an unknown reduction.
    """
    if reduction not in ("sum", "mean", "max"):
        raise ValueError(f"reduction = {reduction!r}: choose 'sum', 'mean' or 'max'")
    k = neighbours.shape[-1]
    combine = jnp.maximum if reduction == "max" else jnp.add

    def aggregate(
        sent: Float[Array, "N O"],
        kept: Float[Array, "N O"],
        neighbours: Int[Array, "N k"],
        *weights: Float[Array, "N k"],
    ) -> Float[Array, "N O"]:
        def message(j: int) -> Array:
            message = jax.nn.relu(sent[neighbours[:, j]] + kept)
            return message * (k * weights[0][:, j, None]) if weights else message

        return reduce(combine, map(message, range(k)))

    wide = at_least_float32(h.dtype)
    sent, kept = linear(h, phi, wide), linear(h, psi - phi, wide)
    out = map_images(aggregate, sent, kept, neighbours, *([] if weights is None else [weights]))
    return (out / k if reduction == "mean" else out).astype(h.dtype)


class EdgeConv(nn.Module):
    """`edge_conv` with its two weights, Glorot normal; in `dtype`, the arguments' if None."""

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
