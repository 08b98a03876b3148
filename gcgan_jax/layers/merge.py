"""Registry of merges: Modules that combine the local and non-local branch of a graph layer.

B images, H rows, W columns, O features.
"""

import flax.linen as nn
from jax import Array
from jaxtyping import Float


class Average(nn.Module):
    """(local + non_local) / 2, thesis eq. 3.13."""

    def __call__(
        self, local: Float[Array, "B H W O"], non_local: Float[Array, "B H W O"]
    ) -> Float[Array, "B H W O"]:
        return (local + non_local) / 2


MERGES: dict[str, type[nn.Module]] = {"average": Average}
