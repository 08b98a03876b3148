"""Registry of merges: Modules that combine the local and non-local branch of a graph layer.

B images, O features; `size` is H rows and W columns, or N points.
"""

from typing import Annotated

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Float

from gcgan_jax.arrays import AnyArray
from gcgan_jax.layers.statistics import BatchStatistics
from gcgan_jax.ranges import Free, Interval

Branch = Float[AnyArray, "B *size O"]


class Merge(nn.Module):
    """Base of all merges, which define `combine`.

    Attributes:
        normalise: whether each branch is batch-normalised first.
        statistics: how it is; None where there are none.
    """

    normalise: Annotated[bool, Free()] = False
    statistics: BatchStatistics | None = None

    @nn.compact
    def __call__(self, local: Branch, non_local: Branch) -> Branch:
        """Combine both branches; raise ValueError if `normalise` lacks statistics."""
        if self.normalise:
            if self.statistics is None:
                raise ValueError("normalise = True needs the statistics of a batch")
            local = self.statistics.norm("local_norm")(local)
            non_local = self.statistics.norm("non_local_norm")(non_local)
        return self.combine(local, non_local)

    def combine(self, local: Branch, non_local: Branch) -> Branch:
        raise NotImplementedError


class Average(Merge):
    """(local + non_local) / 2, thesis eq. 3.13."""

    def combine(self, local: Branch, non_local: Branch) -> Branch:
        return (local + non_local) / 2


class Sum(Merge):
    """local + non_local."""

    def combine(self, local: Branch, non_local: Branch) -> Branch:
        return local + non_local


class Gate(Merge):
    """local + g non_local with one learned number g, initially 0.

    With the identity as the local branch this is SAGAN's y = gamma o + x, thesis eq. 4.3 (Zhang et
    al. 2019, arXiv:1805.08318).
    """

    def combine(self, local: Branch, non_local: Branch) -> Branch:
        gate = self.param("gate", nn.initializers.zeros, (), float)
        self.sow("diagnostics", "gate", gate)
        return local + gate.astype(local.dtype) * non_local


class Scale(Merge):
    """local + s * non_local with a learned s per channel: LayerScale, Touvron et al. 2021,
    arXiv:2103.17239.

    Attributes:
        initial: initial value of s.
    """

    initial: Annotated[float, Interval(0, 10)] = 1e-5

    def combine(self, local: Branch, non_local: Branch) -> Branch:
        start = nn.initializers.constant(self.initial)
        scale = self.param("scale", start, (local.shape[-1],), float)
        self.sow("diagnostics", "scale", jnp.mean(jnp.abs(scale)))
        return local + jnp.broadcast_to(scale.astype(local.dtype), local.shape) * non_local


MERGES: dict[str, type[Merge]] = {"average": Average, "sum": Sum, "gate": Gate, "scale": Scale}
