"""EdgeConv on the edges of a given graph.

B images, N nodes, k neighbours, C features in (coordinates included), F' = O features out.
"""

from functools import reduce

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax.linen.dtypes import promote_dtype
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Int

from gcgan_jax.arrays import AnyArray
from gcgan_jax.graph import map_images
from gcgan_jax.layers.linear import at_least_float32, linear


@jax.named_scope("edge_conv")
def edge_conv(
    h: Float[AnyArray, "B N C"],
    neighbours: Int[AnyArray, "B N k"],
    phi: Float[AnyArray, "C O"],
    psi: Float[AnyArray, "C O"],
    reduction: str = "sum",
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

    Raises:
        ValueError: an unknown reduction.
    """
    if reduction not in ("sum", "mean", "max"):
        raise ValueError(f"reduction = {reduction!r}: choose 'sum', 'mean' or 'max'")
    k = neighbours.shape[-1]
    combine = jnp.maximum if reduction == "max" else jnp.add

    def aggregate(
        sent: Float[Array, "N O"], kept: Float[Array, "N O"], neighbours: Int[Array, "N k"]
    ) -> Float[Array, "N O"]:
        return reduce(combine, (jax.nn.relu(sent[neighbours[:, j]] + kept) for j in range(k)))

    wide = at_least_float32(h.dtype)
    out = map_images(aggregate, linear(h, phi, wide), linear(h, psi - phi, wide), neighbours)
    return (out / k if reduction == "mean" else out).astype(h.dtype)


class EdgeConv(nn.Module):
    """`edge_conv` with its two weights, Glorot normal; in `dtype`, the arguments' if None."""

    features: int
    reduction: str
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(
        self, h: Float[AnyArray, "B N C"], neighbours: Int[AnyArray, "B N k"]
    ) -> Float[Array, "B N {self.features}"]:
        shape = (h.shape[-1], self.features)
        phi = self.param("phi", nn.initializers.glorot_normal(), shape, float)
        psi = self.param("psi", nn.initializers.glorot_normal(), shape, float)
        h, phi, psi = promote_dtype(h, phi, psi, dtype=self.dtype)
        return edge_conv(h, neighbours, phi, psi, self.reduction)
