"""Graph-convolutional layer: merges a local 3x3 convolution and a non-local operator.

B images, H rows, W columns, N = H * W nodes, F features in, C = F + 2, O features out.
"""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Key

from gcgan_jax.arrays import AnyArray
from gcgan_jax.graphs.geometry import chebyshev, coordinates
from gcgan_jax.layers.conv import Conv
from gcgan_jax.layers.merge import Average


class GraphConv(nn.Module):
    """Thesis eq. 3.13: h_out = merge( conv3x3(x), operator(h, graph(x)) ) + b.

    The graph is built on x alone; h is x with the scaled row and column of each pixel appended.
    The layer sows statistics of its graph into the collection "diagnostics", and the graph itself
    into "edges", wherever these are mutable.

    Attributes:
        features: number of output features O.
        graph: factory of the graph, see `graphs.knn.KNN`; it gets one key per image.
        operator: factory of the operator, which takes O; see `operators.edge_conv.EdgeConv`.
        merge: factory of the merge, see `layers.merge.Average`.
        dtype: dtype of the local convolution; None: that of x.
    """

    features: int
    graph: Callable[..., nn.Module]
    operator: Callable[..., nn.Module]
    merge: Callable[..., nn.Module] = Average
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(
        self, x: Float[AnyArray, "B H W F"], keys: Key[Array, "B"] | None = None
    ) -> Float[Array, "B H W {self.features}"]:
        B, H, W, F = x.shape
        neighbours = self.graph(name="graph")(x, keys)
        coords = jnp.broadcast_to(coordinates(H, W).astype(x.dtype), (B, H * W, 2))
        h = jnp.concatenate([x.reshape(B, H * W, F), coords], axis=-1)

        local = Conv(self.features, dtype=self.dtype, name="local")(x)
        non_local = self.operator(self.features, name="non_local")(h, neighbours)
        non_local = non_local.reshape(local.shape)
        bias = self.param("bias", nn.initializers.zeros, (self.features,), float)

        if self.is_mutable_collection("diagnostics"):
            nodes = jnp.arange(H * W)[None, :, None]
            at_distance_2 = chebyshev(nodes, neighbours.indices, W) == 2
            self.sow("diagnostics", "edges_at_distance_2", jnp.mean(at_distance_2))
            norms = [jnp.linalg.norm(branch.astype(float)) for branch in (non_local, local)]
            self.sow("diagnostics", "non_local_over_local", norms[0] / norms[1])
        if self.is_mutable_collection("edges"):
            self.sow("edges", "neighbours", neighbours.indices)
        merged = self.merge(name="merge")(local, non_local)
        return merged + bias[None, None, None].astype(local.dtype)
