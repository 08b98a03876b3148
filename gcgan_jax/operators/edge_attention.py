"""Edge attention: weights of edges by the distance of the features at their ends.

B images, N nodes, k neighbours, C features (coordinates included).
"""

from typing import Annotated

import flax.linen as nn
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Int

from gcgan_jax.arrays import AnyArray
from gcgan_jax.graphs.gather import edge_distances
from gcgan_jax.layers.linear import at_least_float32
from gcgan_jax.layers.statistics import BatchMean, BatchStatistics
from gcgan_jax.ranges import OneOf

Scalar = float | Float[Array, ""]
Rule = Annotated[str, OneOf(("fixed", "adaptive", "learned"))]


def squared_norms(difference: Float[Array, "*edges C"]) -> Float[Array, "*edges"]:
    """Compute ||d||^2 in at least float32."""
    return jnp.sum(difference.astype(at_least_float32(difference.dtype)) ** 2, axis=-1)


def attention(squared: Float[Array, "*edges"], delta: Scalar) -> Float[Array, "*edges"]:
    """Compute gamma = exp(-||d||^2 / delta), thesis eq. 3.15, of squared norms."""
    return jnp.exp(-squared / delta)


def edge_attention(
    h: Float[AnyArray, "B N C"], neighbours: Int[AnyArray, "B N k"], delta: Scalar
) -> Float[Array, "B N k"]:
    """Compute gamma of all edges."""
    h = jnp.asarray(h, at_least_float32(h.dtype))
    return attention(edge_distances(h, h, neighbours), delta)


def sow_gamma(
    module: nn.Module,
    h: Float[AnyArray, "B N C"],
    neighbours: Int[AnyArray, "B N k"],
    delta: Scalar,
) -> None:
    """Sow mean gamma into "diagnostics", and all gamma into "edges", where these are mutable.

    `init` sows nothing.
    """
    if module.is_initializing():
        return
    if module.is_mutable_collection("diagnostics"):
        module.sow("diagnostics", "gamma", jnp.mean(edge_attention(h, neighbours, delta)))
    if module.is_mutable_collection("edges"):
        module.sow("edges", "gamma", edge_attention(h, neighbours, delta))


class Delta(nn.Module):
    """The scale delta of gamma.

    Attributes:
        rule: "fixed": `value`; "learned": exp of a parameter that starts at log `value`;
            "adaptive": mean ||h_j - h_i||^2 over the batch's edges, without gradient.
        value: see `rule`.
        statistics: how the adaptive mean is obtained.
    """

    rule: str
    value: float
    statistics: BatchStatistics | None

    @nn.compact
    def __call__(self, h: Float[AnyArray, "B N C"], neighbours: Int[AnyArray, "B N k"]) -> Scalar:
        """Return delta; raise ValueError if the adaptive rule lacks statistics."""
        if self.rule == "fixed":
            return self.value
        if self.rule == "learned":
            start = nn.initializers.constant(jnp.log(self.value))
            return jnp.exp(self.param("log_delta", start, (), float))
        if self.statistics is None:
            raise ValueError("delta_rule = 'adaptive' needs the statistics of a batch")
        h = jnp.asarray(h, at_least_float32(h.dtype))
        return BatchMean(self.statistics, name="mean")(edge_distances(h, h, neighbours))
