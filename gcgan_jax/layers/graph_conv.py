"""Graph-convolutional layer: merges a local 3x3 convolution and a non-local operator.

B images, H rows, W columns, N = H * W nodes, F features in, C = F + 2, O features out.
"""

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import Any, Literal

import flax.linen as nn
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Key

from gcgan_jax.arrays import AnyArray
from gcgan_jax.graphs.controls import self_loops
from gcgan_jax.graphs.geometry import chebyshev, coordinates
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.layers.conv import Conv
from gcgan_jax.layers.merge import Average
from gcgan_jax.layers.statistics import BatchStatistics

Factory = Callable[..., nn.Module]


class GraphConv(nn.Module):
    """Thesis eq. 3.13: h_out = merge( conv3x3(x), operator(h, graph(x)) ) + b.

    The graph is built on x alone; h is x with the scaled row and column of each pixel appended.
    An operator whose attribute `needs_graph` is False gets None instead of a graph.

    Wherever these collections are mutable, the layer sows statistics into "diagnostics", its edges
    into "edges", and into "branches" h, the outputs of both branches, and what the operator gives
    on self-loops.

    Attributes:
        features: number of output features O.
        graph: factory of the graph, see `graphs.knn.KNN`; it gets one key per image.
        operator: factory of the operator, which takes O; see `operators.edge_conv.EdgeConv`.
        merge: factory of the merge, see `layers.merge.Average`.
        local_branch: "conv", or "identity" for x itself, which needs F = O.
        coordinates: False: zeros take their place, so that parameters stay the same.
        without: a branch that is replaced by zeros, for ablations.
        statistics: given to the operator and the merge if they take it; None: there are none.
        dtype: dtype of the local convolution; None: that of x.
    """

    features: int
    graph: Factory
    operator: Factory
    merge: Factory = Average
    local_branch: str = "conv"
    coordinates: bool = True
    without: Literal["local", "non_local"] | None = None
    statistics: BatchStatistics | None = None
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(
        self, x: Float[AnyArray, "B H W F"], keys: Key[Array, "B"] | None = None
    ) -> Float[Array, "B H W {self.features}"]:
        B, H, W, F = x.shape
        coords = coordinates(H, W) if self.coordinates else jnp.zeros((H * W, 2))
        coords = jnp.broadcast_to(coords.astype(x.dtype), (B, H * W, 2))
        h = jnp.concatenate([x.reshape(B, H * W, F), coords], axis=-1)

        operator = self._with_statistics(self.operator)(self.features, name="non_local")
        neighbours = None
        if getattr(operator, "needs_graph", True):
            neighbours = self.graph(name="graph")(x, keys)
        local = self._local(x)
        non_local = operator(h, neighbours).reshape(local.shape)
        self._record(h, local, non_local, neighbours, W)
        if neighbours and self.is_mutable_collection("branches"):
            shape = neighbours.indices.shape
            loops = jnp.broadcast_to(self_loops(H, W, shape[-1]), shape)
            self.sow("branches", "of_self", operator(h, Neighbours(loops)))

        branches = {"local": local, "non_local": non_local}
        if self.without:
            branches[self.without] = jnp.zeros_like(local)
        merged = self._with_statistics(self.merge)(name="merge")(**branches)
        bias = self.param("bias", nn.initializers.zeros, (self.features,), float)
        return merged + bias[None, None, None].astype(local.dtype)

    def _with_statistics(self, factory: Factory) -> Factory:
        component: Any = factory.func if isinstance(factory, partial) else factory
        takes_statistics = any(field.name == "statistics" for field in fields(component))
        return partial(factory, statistics=self.statistics) if takes_statistics else factory

    def _local(self, x: Float[AnyArray, "B H W F"]) -> Float[Array, "B H W {self.features}"]:
        if self.local_branch == "conv":
            return Conv(self.features, dtype=self.dtype, name="local")(x)
        if x.shape[-1] != self.features:
            raise ValueError(
                f"local = 'identity' needs equal features, got {x.shape[-1]} in and "
                f"{self.features} out: choose 'conv'"
            )
        return jnp.asarray(x, self.dtype)

    def _record(
        self,
        h: Float[Array, "B N C"],
        local: Float[Array, "B H W O"],
        non_local: Float[Array, "B H W O"],
        neighbours: Neighbours | None,
        width: int,
    ) -> None:
        if self.is_mutable_collection("diagnostics"):
            norms = [jnp.linalg.norm(branch.astype(float)) for branch in (non_local, local)]
            self.sow("diagnostics", "non_local_over_local", norms[0] / norms[1])
            if neighbours:
                nodes = jnp.arange(h.shape[1])[None, :, None]
                at_distance_2 = chebyshev(nodes, neighbours.indices, width) == 2
                self.sow("diagnostics", "edges_at_distance_2", jnp.mean(at_distance_2))
        if neighbours:
            self.sow("edges", "neighbours", neighbours.indices)
            if neighbours.weights is not None:
                self.sow("edges", "weights", neighbours.weights)
        self.sow("branches", "inputs", h)
        self.sow("branches", "outputs", {"local": local, "non_local": non_local})
