"""Graph-convolutional layer: merges a local 3x3 convolution and a non-local operator.

B images, H rows, W columns, N = H * W nodes, F features in, C = F + 2, O features out. `size` is H
and W, or N alone for a point set.
"""

from collections.abc import Callable
from dataclasses import field, fields
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
from gcgan_jax.layers.linear import Linear
from gcgan_jax.layers.merge import Average
from gcgan_jax.layers.statistics import BatchStatistics

Factory = Callable[..., nn.Module]


class GraphConv(nn.Module):
    """Thesis eq. 3.13: h_out = merge( conv3x3(x), operator(h, graph(x)) ) + b.

    The graph is built on x alone; h is x with the scaled row and column of each pixel appended.
    An operator whose attribute `needs_graph` is False gets None instead of a graph. Without an
    operator, the layer is local + b, a control: nothing is merged or sown.

    Point sets [B, N, F] have neither a 3x3 convolution nor rows and columns: the layer takes them
    with another local branch and without coordinates.

    Where these collections are mutable, but not in `init`, the layer sows statistics into
    "diagnostics", its edges into "edges", and into "branches" h, the outputs of both branches, and
    what the operator gives on self-loops.

    Attributes:
        features: number of output features O.
        graph: factory of the graph, see `graphs.knn.KNN`; it gets one key per image.
        operator: factory of the operator, which takes O; see `operators.edge_conv.EdgeConv`. None:
            there is none.
        merge: factory of the merge, see `layers.merge.Average`.
        local_branch: "conv"; "linear" for the same linear map of every node; or "identity" for x
            itself, which needs F = O.
        local_expansion: e, to widen "conv" to a hidden layer: linear( ReLU( conv3x3(x) ) ) with
            round(e O) hidden features, at least one; None: conv3x3(x).
        coordinates: False: zeros take their place, so that parameters stay the same.
        without: a branch that is replaced by zeros, for ablations.
        statistics: given to the operator and the merge if they take it; None: there are none.
        dtype: dtype of the local convolution; None: that of x.

    Example:
        On images, and on point sets:

        >>> layer = GraphConv(5, graph=partial(KNN, k=4), operator=EdgeConv)
        >>> y, variables = layer.init_with_output(jax.random.key(0), jnp.ones((1, 4, 4, 3)))
        >>> y.shape
        (1, 4, 4, 5)
        >>> jax.tree.map(jnp.shape, variables["params"]["non_local"])  # C = 3 + 2
        {'phi': (5, 5), 'psi': (5, 5)}
        >>> layer = layer.clone(local_branch="linear", coordinates=False)
        >>> y, variables = layer.init_with_output(jax.random.key(0), jnp.ones((1, 6, 3)))
        >>> y.shape
        (1, 6, 5)
    """

    features: int
    graph: Factory
    operator: Factory | None
    merge: Factory = field(default_factory=lambda: Average)  # ToNNX fails at class attributes
    local_branch: str = "conv"
    local_expansion: float | None = None
    coordinates: bool = True
    without: Literal["local", "non_local"] | None = None
    statistics: BatchStatistics | None = None
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(
        self, x: Float[AnyArray, "B *size F"], keys: Key[Array, "B"] | None = None
    ) -> Float[Array, "B *size {self.features}"]:
        """Apply the layer.

        Raises:
            ValueError: x is a point set, but the layer needs pixels; the local branch is the
                identity, but F is not O; or as the parts do.
        """
        x = jnp.asarray(x)
        if x.ndim == 3:
            self._require_no_pixels(x.shape)
        out = self._local(x) if self.operator is None else self._merged(self.operator, x, keys)
        bias = self.param("bias", nn.initializers.zeros, (self.features,), float)
        return out + jnp.broadcast_to(bias.astype(out.dtype), out.shape)

    def _merged(
        self, make_operator: Factory, x: Float[Array, "B *size F"], keys: Key[Array, "B"] | None
    ) -> Float[Array, "B *size {self.features}"]:
        """Return both branches, merged."""
        B, *size, F = x.shape
        h = x.reshape(B, -1, F)
        coords = coordinates(*size) if self.coordinates else jnp.zeros((h.shape[1], 2))
        coords = jnp.broadcast_to(coords.astype(x.dtype), (*h.shape[:2], 2))
        h = jnp.concatenate([h, coords], axis=-1)

        operator = self._with_statistics(make_operator)(self.features, name="non_local")
        neighbours = None
        if getattr(operator, "needs_graph", True):
            neighbours = self.graph(name="graph")(x, keys)
        local = self._local(x)
        non_local = operator(h, neighbours).reshape(local.shape)
        if not self.is_initializing():
            self._record(h, local, non_local, neighbours)
            if neighbours and self.is_mutable_collection("branches"):
                shape = neighbours.indices.shape
                loops = jnp.broadcast_to(self_loops(1, shape[1], shape[2]), shape)
                self.sow("branches", "of_self", operator(h, Neighbours(loops)))

        branches = {"local": local, "non_local": non_local}
        if self.without:
            branches[self.without] = jnp.zeros_like(local)
        return self._with_statistics(self.merge)(name="merge")(**branches)

    def _require_no_pixels(self, shape: tuple[int, ...]) -> None:
        """Raise ValueError if this layer uses the places of pixels, which a point set has not."""
        if self.local_branch == "conv":
            raise ValueError(
                f"local = 'conv' needs images [B, H, W, F], but x is a point set {list(shape)}: "
                "choose 'linear' or 'identity'"
            )
        if self.coordinates:
            raise ValueError(
                f"coordinates = True needs images [B, H, W, F], but x is a point set "
                f"{list(shape)}: set it to False; features may contain the points' coordinates"
            )

    def _with_statistics(self, factory: Factory) -> Factory:
        component: Any = factory.func if isinstance(factory, partial) else factory
        takes_statistics = any(field.name == "statistics" for field in fields(component))
        return partial(factory, statistics=self.statistics) if takes_statistics else factory

    def _local(self, x: Float[Array, "B *size F"]) -> Float[Array, "B *size {self.features}"]:
        if self.local_branch == "conv" and self.local_expansion is not None:
            hidden = hidden_features(self.local_expansion, self.features)
            x = nn.relu(Conv(hidden, dtype=self.dtype, name="local")(x))
            return Linear(self.features, dtype=self.dtype, name="local_out")(x)
        if self.local_branch == "conv":
            return Conv(self.features, dtype=self.dtype, name="local")(x)
        if self.local_branch == "linear":
            return Linear(self.features, dtype=self.dtype, name="local")(x)
        if x.shape[-1] != self.features:
            raise ValueError(
                f"local = 'identity' needs equal features, got {x.shape[-1]} in and "
                f"{self.features} out: choose 'conv' or 'linear'"
            )
        return jnp.asarray(x, self.dtype)

    def _record(
        self,
        h: Float[Array, "B N C"],
        local: Float[Array, "B *size O"],
        non_local: Float[Array, "B *size O"],
        neighbours: Neighbours | None,
    ) -> None:
        if self.is_mutable_collection("diagnostics"):
            norms = [jnp.linalg.norm(branch.astype(float)) for branch in (non_local, local)]
            self.sow("diagnostics", "non_local_over_local", norms[0] / norms[1])
            if neighbours and local.ndim == 4:
                nodes = jnp.arange(h.shape[1])[None, :, None]
                at_distance_2 = chebyshev(nodes, neighbours.indices, local.shape[2]) == 2
                self.sow("diagnostics", "edges_at_distance_2", jnp.mean(at_distance_2))
        if neighbours:
            self.sow("edges", "neighbours", neighbours.indices)
            if neighbours.weights is not None:
                self.sow("edges", "weights", neighbours.weights)
        self.sow("branches", "inputs", h)
        self.sow("branches", "outputs", {"local": local, "non_local": non_local})


def hidden_features(expansion: float, features: int) -> int:
    """Return the number of features in the hidden layer of a widened local branch."""
    return max(1, round(expansion * features))
