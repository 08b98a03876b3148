"""The graph-convolutional layer: a local 3x3 convolution and a non-local operator, averaged.

B images, H rows, W columns, N = H * W nodes, F features in, C = F + 2, O features out.
"""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from gcgan_jax.graph import chebyshev, coordinates, knn
from gcgan_jax.layers.conv import Conv


class GraphConv(nn.Module):
    """Thesis eq. 3.13: h_out = ( conv3x3(x) + NonLocal(h, knn(x)) ) / 2 + b.

    The graph is built on x alone; h is x with the scaled row and column of each pixel appended.
    Where the collection "figures" is mutable, the layer reports in it what its graph does; in
    "edges", the graph itself.

    Attributes:
        features: O.
        k: neighbours of each pixel.
        non_local: makes the operator, from O: h [B, N, C], neighbours [B, N, k] -> [B, N, O].
        dtype: of the local convolution; None is that of x.
    """

    features: int
    k: int
    non_local: Callable[..., nn.Module]
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Array) -> Array:
        B, H, W, F = x.shape
        neighbours = knn(x, self.k)
        where = jnp.broadcast_to(coordinates(H, W).astype(x.dtype), (B, H * W, 2))
        h = jnp.concatenate([x.reshape(B, H * W, F), where], axis=-1)

        local = Conv(self.features, dtype=self.dtype, name="local")(x)
        distant = self.non_local(self.features, name="non_local")(h, neighbours)
        distant = distant.reshape(local.shape)
        bias = self.param("bias", nn.initializers.zeros, (self.features,), float)

        if self.is_mutable_collection("figures"):
            just_outside = chebyshev(jnp.arange(H * W)[None, :, None], neighbours, W) == 2
            self.sow("figures", "edges_at_distance_2", jnp.mean(just_outside))
            sizes = jnp.linalg.norm(distant.astype(float)), jnp.linalg.norm(local.astype(float))
            self.sow("figures", "non_local_over_local", sizes[0] / sizes[1])
        if self.is_mutable_collection("edges"):
            self.sow("edges", "neighbours", neighbours)
        return (local + distant) / 2 + bias[None, None, None].astype(local.dtype)
