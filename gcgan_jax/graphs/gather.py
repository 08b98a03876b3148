"""Features of the nodes at the ends of edges, with a gradient that is fast on every platform.

B images, N nodes, k neighbours, F features.
"""

import operator
from collections.abc import Callable
from importlib.metadata import version

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, Int

from gcgan_jax.arrays import AnyArray
from gcgan_jax.graphs.tiling import map_images
from gcgan_jax.platforms import by_platform, scatters_atomically


@jax.custom_vjp
def gather_nodes(
    h: Float[AnyArray, "N F"], neighbours: Int[AnyArray, "N k"]
) -> Float[Array, "N k F"]:
    """Return h_j for the edges from all nodes i to their neighbours j.

    Its gradient is `sum_at_nodes`, whose gradient is this function. There is no forward mode
    (`jax.jvp`).
    """
    return jnp.asarray(h)[neighbours]


@jax.custom_vjp
def sum_at_nodes(
    messages: Float[AnyArray, "N k F"], neighbours: Int[AnyArray, "N k"]
) -> Float[Array, "N F"]:
    """Return at each node j the sum of the messages on all edges that end there.

    Messages are summed in at least float32. A TPU has no fast scatter, and neither has a GPU with
    jaxlib 0.10.2 to 0.11.0; they multiply by the one-hot matrix of j, in 2 N^2 k F FLOPs.
    """
    return by_platform(
        messages,
        neighbours,
        cuda=scatter if scatters_atomically(version("jaxlib")) else multiply_one_hot,
        tpu=multiply_one_hot,
        default=scatter,
    )


def scatter(
    messages: Float[AnyArray, "N k F"], neighbours: Int[AnyArray, "N k"]
) -> Float[Array, "N F"]:
    """Compute `sum_at_nodes` by a scatter-add."""
    N, _, F = messages.shape
    sums = jnp.zeros((N, F), jnp.promote_types(messages.dtype, jnp.float32))
    return sums.at[neighbours].add(messages).astype(messages.dtype)


def multiply_one_hot(
    messages: Float[AnyArray, "N k F"], neighbours: Int[AnyArray, "N k"]
) -> Float[Array, "N F"]:
    """Compute `sum_at_nodes` as a matmul."""
    N, k, F = messages.shape
    one_hot = jax.nn.one_hot(neighbours.reshape(N * k), N, dtype=messages.dtype, axis=0)
    sums = jnp.matmul(
        one_hot,
        messages.reshape(N * k, F),
        precision=lax.Precision.HIGHEST,
        preferred_element_type=jnp.promote_types(messages.dtype, jnp.float32),
    )
    return sums.astype(messages.dtype)


gather_nodes.defvjp(
    lambda h, neighbours: (gather_nodes(h, neighbours), neighbours),
    lambda neighbours, cotangent: (sum_at_nodes(cotangent, neighbours), None),
)
# A copy of the neighbours is stored, since jax 0.10.2 takes another array for a residual that is an
# argument, in second derivatives of a `lax.map`.
sum_at_nodes.defvjp(
    lambda messages, neighbours: (sum_at_nodes(messages, neighbours), neighbours + 0),
    lambda neighbours, cotangent: (gather_nodes(cotangent, neighbours), None),
)


def edge_distances(
    h: Float[Array, "B N F"], queries: Float[Array, "B N F"], indices: Int[AnyArray, "B N k"]
) -> Float[Array, "B N k"]:
    """Return ||h_j - q_i||^2 of all edges."""
    return _sum_over_features(lambda h_j, q_i: (h_j - q_i) ** 2, h, queries, indices)


def edge_products(
    h: Float[Array, "B N F"], queries: Float[Array, "B N F"], indices: Int[AnyArray, "B N k"]
) -> Float[Array, "B N k"]:
    """Return h_j . q_i of all edges."""
    return _sum_over_features(operator.mul, h, queries, indices)


def _sum_over_features(
    term: Callable[[Array, Array], Array],
    h: Float[Array, "B N F"],
    queries: Float[Array, "B N F"],
    indices: Int[AnyArray, "B N k"],
) -> Float[Array, "B N k"]:
    """Sum a function of h_j and q_i over their features, for all edges."""

    def per_image(
        h: Float[Array, "N F"], queries: Float[Array, "N F"], indices: Int[Array, "N k"]
    ) -> Float[Array, "N k"]:
        return jnp.sum(term(gather_nodes(h, indices), queries[:, None]), axis=-1)

    k, F = indices.shape[-1], h.shape[-1]
    return map_images(per_image, h, queries, indices, image_bytes=h.itemsize * h.shape[1] * k * F)
