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
    """(local + non_local) / 2, thesis eq. 3.13.

    Example:
        >>> local, non_local = jnp.full((1, 3, 1), 2.0), jnp.full((1, 3, 1), 4.0)
        >>> Average().apply({}, local, non_local)[0, :, 0].tolist()
        [3.0, 3.0, 3.0]
    """

    def combine(self, local: Branch, non_local: Branch) -> Branch:
        return (local + non_local) / 2


class Sum(Merge):
    """local + non_local.

    Example:
        >>> local, non_local = jnp.full((1, 3, 1), 2.0), jnp.full((1, 3, 1), 4.0)
        >>> Sum().apply({}, local, non_local)[0, :, 0].tolist()
        [6.0, 6.0, 6.0]
    """

    def combine(self, local: Branch, non_local: Branch) -> Branch:
        return local + non_local


class Gate(Merge):
    """local + g non_local with one learned number g, initially 0.

    With the identity as the local branch this is SAGAN's y = gamma o + x, thesis eq. 4.3 (Zhang et
    al. 2019, arXiv:1805.08318).

    Example:
        >>> local, non_local = jnp.full((1, 3, 1), 2.0), jnp.full((1, 3, 1), 4.0)
        >>> Gate().init_with_output(jax.random.key(0), local, non_local)[0][0, :, 0].tolist()
        [2.0, 2.0, 2.0]
        >>> Gate().apply({"params": {"gate": jnp.array(0.5)}}, local, non_local)[0, :, 0].tolist()
        [4.0, 4.0, 4.0]
    """

    def combine(self, local: Branch, non_local: Branch) -> Branch:
        gate = self.param("gate", nn.initializers.zeros, (), float)
        if not self.is_initializing():
            self.sow("diagnostics", "gate", gate)
        return local + gate.astype(local.dtype) * non_local


class Scale(Merge):
    """local + s * non_local with a learned s per channel: LayerScale, Touvron et al. 2021,
    arXiv:2103.17239.

    Attributes:
        initial: initial value of s.

    Example:
        >>> local, non_local = jnp.full((1, 3, 1), 2.0), jnp.full((1, 3, 1), 4.0)
        >>> merge, key = Scale(initial=0.25), jax.random.key(0)
        >>> out, variables = merge.init_with_output(key, local, non_local)
        >>> out[0, :, 0].tolist()
        [3.0, 3.0, 3.0]
        >>> variables["params"]["scale"].shape  # of O channels
        (1,)
    """

    initial: Annotated[float, Interval(0, 10)] = 1e-5

    def combine(self, local: Branch, non_local: Branch) -> Branch:
        start = nn.initializers.constant(self.initial)
        scale = self.param("scale", start, (local.shape[-1],), float)
        if not self.is_initializing():
            self.sow("diagnostics", "scale", jnp.mean(jnp.abs(scale)))
        return local + jnp.broadcast_to(scale.astype(local.dtype), local.shape) * non_local


MERGES: dict[str, type[Merge]] = {"average": Average, "sum": Sum, "gate": Gate, "scale": Scale}
