"""Statistics over a batch, as batch normalisation uses them."""

from dataclasses import dataclass, replace

import flax.linen as nn
import jax.numpy as jnp
from jax import Array, lax
from jax.typing import DTypeLike
from jaxtyping import Float

from gcgan_jax.arrays import AnyArray


@dataclass(frozen=True)
class BatchStatistics:
    """How layers obtain statistics: from the batch when training, else as running averages.

    Attributes:
        momentum: decay of the running averages.
        epsilon: added to variances.
        dtype: dtype of normalised features; None: that of the features.
        use_running_average: whether to use the running averages, and not to update them.
        axis_name: mapped axis over which the batch is split; None: it is not.

    Example:
        >>> statistics = BatchStatistics(momentum=0.9, epsilon=1e-5, use_running_average=False)
        >>> merge = Average(normalise=True, statistics=statistics)
        >>> x = jnp.array([[[1.0], [2.0], [6.0]]])
        >>> out, variables = merge.init_with_output(jax.random.key(0), x, x**2)
        >>> sorted(variables), abs(float(out.mean())) < 1e-6
        (['batch_stats', 'params'], True)
    """

    momentum: float
    epsilon: float
    dtype: DTypeLike | None = None
    use_running_average: bool = True
    axis_name: str | None = None

    def in_mode(self, *, train: bool, axis_name: str | None) -> "BatchStatistics":
        """Return these statistics for training or for evaluation."""
        return replace(self, use_running_average=not train, axis_name=axis_name)

    def norm(self, name: str) -> nn.BatchNorm:
        """Return a batch normalisation layer."""
        return nn.BatchNorm(
            use_running_average=self.use_running_average,
            axis_name=self.axis_name,
            momentum=self.momentum,
            epsilon=self.epsilon,
            dtype=self.dtype,
            param_dtype=float,
            name=name,
        )

    def norm_relu(self, x: Float[AnyArray, "*rows F"], name: str) -> Float[Array, "*rows F"]:
        """Normalise the output of a layer `name`, and apply ReLU."""
        return nn.relu(self.norm(f"{name}_norm")(x))


class BatchMean(nn.Module):
    """Mean of all values of a batch, without gradient; its running average starts at 1."""

    statistics: BatchStatistics

    @nn.compact
    def __call__(self, values: Float[AnyArray, "..."]) -> Float[Array, ""]:
        running = self.variable("batch_stats", "mean", jnp.ones, (), float)
        if self.statistics.use_running_average:
            return running.value
        mean = lax.stop_gradient(jnp.mean(values))
        if not self.is_initializing():
            if self.statistics.axis_name:
                mean = lax.pmean(mean, self.statistics.axis_name)
            momentum = self.statistics.momentum
            running.value = momentum * running.value + (1 - momentum) * mean
        return mean
