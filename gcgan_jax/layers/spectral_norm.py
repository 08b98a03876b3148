"""Spectral normalisation of a layer's weights; M rows, O output features."""

from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from gcgan_jax.arrays import AnyArray


class SpectralNorm(nn.Module):
    """Calls a layer with each weight W replaced by W / sigma; Miyato et al. 2018, arXiv:1802.05957.

    sigma approximates the largest singular value of W, read as a matrix [M, O], by one step of
    power iteration from a stored u. Vectors and scalars, such as biases, stay as they are.
    Flax's own `SpectralNorm` does not support layers that sow.

    Attributes:
        layer: the layer, which keeps the name and the place of its parameters.
        update: whether to store the u of this call for the next, in "batch_stats".
    """

    layer: nn.Module
    update: bool

    @nn.compact
    def __call__(self, *inputs: Any) -> Array:
        call = nn.map_variables(
            lambda layer: layer(*inputs),
            "params",
            trans_in_fn=partial(jax.tree.map_with_path, self._normalise),
            init=self.is_initializing(),
            mutable=self.is_initializing(),
        )
        return call(self.layer)

    def _normalise(self, path: Any, weight: Float[AnyArray, "..."]) -> Float[Array, "..."]:
        weight = jnp.asarray(weight)
        if weight.ndim < 2:
            return weight
        matrix = weight.reshape(-1, weight.shape[-1])
        name = jax.tree_util.keystr(path[1:], simple=True, separator="_")
        u = self.variable("batch_stats", name, self._initial, weight.shape[-1])
        sigma, updated = power_iteration(matrix, u.value)
        if self.update:
            u.value = updated
        return weight / jnp.where(sigma > 0, sigma, 1)

    def _initial(self, features: int) -> Float[Array, "{features}"]:
        return jax.random.normal(self.make_rng("params"), (features,), float)


def power_iteration(
    matrix: Float[Array, "M O"], u: Float[Array, "O"]
) -> tuple[Float[Array, ""], Float[Array, "O"]]:
    """Return sigma = v^T W u and the next u, for v = W u / ||W u|| and then u = W^T v / ||W^T v||.

    v and u have no gradient. Where sigma is 0, u stays as it is.
    """
    v = lax.stop_gradient(_unit(matrix @ u))
    updated = lax.stop_gradient(_unit(v @ matrix))
    sigma = v @ matrix @ updated
    return sigma, jnp.where(sigma > 0, updated, u)


def _unit(x: Float[Array, "n"]) -> Float[Array, "n"]:
    return x / jnp.maximum(jnp.linalg.norm(x), jnp.finfo(x.dtype).tiny)
