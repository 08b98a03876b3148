"""What a graph layer does with an image: read-only measures of its edges and branches.

B images, N nodes, k neighbours, C features in, O features out, NL the non-local branch's output.
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Int

from gcgan_jax.graphs.gather import edge_distances
from gcgan_jax.graphs.geometry import in_degrees

RECORDED = ("branches", "edges")  # collections that `measure_layer` needs


def measure_layer(branches: Mapping[str, Any], edges: Mapping[str, Any]) -> dict[str, Array]:
    """Measure a layer from what it sowed into the collections RECORDED.

    Returns:
        `similarity` (`linear_cka` of both branches), `explained_by_inputs` and
        `query_independence`; with a graph also `distance_ratio`, `hub_share` and `news`.
    """
    (h,), (outputs,) = branches["inputs"], branches["outputs"]
    non_local, local = (
        outputs[name].reshape(*h.shape[:2], -1).astype(float) for name in ("non_local", "local")
    )
    measured = {
        "similarity": linear_cka(non_local, local),
        "explained_by_inputs": explained_by_inputs(h.astype(float), non_local),
        "query_independence": query_independence(non_local),
    }
    if "neighbours" in edges:
        (neighbours,), (of_self,) = edges["neighbours"], branches["of_self"]
        measured |= {
            "distance_ratio": distance_ratio(h[..., :-2].astype(float), neighbours),
            "hub_share": hub_share(neighbours),
            "news": news(non_local, of_self.astype(float)),
        }
    return measured


def news(non_local: Float[Array, "B N O"], of_self: Float[Array, "B N O"]) -> Float[Array, ""]:
    """Return ||NL(graph) - NL(self)|| / ||NL(graph)||, both centred per channel.

    NL(self) is what the operator gives if each node is its own only neighbour: news is 0 if the
    neighbours say nothing that a node could not have said itself.
    """
    difference = centred(non_local) - centred(of_self)
    return jnp.linalg.norm(difference) / jnp.linalg.norm(centred(non_local))


def distance_ratio(x: Float[Array, "B N F"], neighbours: Int[Array, "B N k"]) -> Float[Array, ""]:
    """Return mean ||x_j - x_i||^2 along edges over that of random pairs of nodes of an image.

    It is 1 for an arbitrary graph and 0 for one between equal features.
    """
    x = x - jnp.mean(x, axis=1, keepdims=True)
    of_random_pairs = 2 * jnp.mean(jnp.sum(x**2, axis=-1))
    return jnp.mean(edge_distances(x, x, neighbours)) / of_random_pairs


def hub_share(neighbours: Int[Array, "B N k"], top: float = 0.01) -> Float[Array, ""]:
    """Return the share of edges that end in the `top` (1 %, at least one) nodes of an image."""
    _, N, k = neighbours.shape
    count = max(1, round(top * N))
    degrees = jnp.sort(jax.vmap(in_degrees)(neighbours), axis=-1)
    return jnp.mean(jnp.sum(degrees[:, -count:], axis=-1) / (N * k))


def linear_cka(x: Float[Array, "B N O"], y: Float[Array, "B N O"]) -> Float[Array, ""]:
    """Return ||Y^T X||^2 / (||X^T X|| ||Y^T Y||) of features centred per channel.

    Kornblith et al. 2019, arXiv:1905.00414: 1 for features that are equal up to a rotation and a
    scale, 0 for uncorrelated ones.
    """
    x, y = centred(x).reshape(-1, x.shape[-1]), centred(y).reshape(-1, y.shape[-1])
    x, y = x / jnp.linalg.norm(x), y / jnp.linalg.norm(y)
    return jnp.sum((y.T @ x) ** 2) / (jnp.linalg.norm(x.T @ x) * jnp.linalg.norm(y.T @ y))


def explained_by_inputs(
    h: Float[Array, "B N C"], non_local: Float[Array, "B N O"], ridge: float = 1e-5
) -> Float[Array, ""]:
    """Return R^2 of the linear regression of NL_i on h_i, over all nodes i and channels.

    Args:
        ridge: added to the covariance of h, relative to its mean diagonal, as h may be collinear.
    """
    h, y = centred(h).reshape(-1, h.shape[-1]), centred(non_local).reshape(-1, non_local.shape[-1])
    covariance = h.T @ h / len(h)
    covariance += ridge * jnp.mean(jnp.diagonal(covariance)) * jnp.eye(len(covariance))
    residual = y - h @ jnp.linalg.solve(covariance, h.T @ y / len(h))
    return 1 - jnp.sum(residual**2) / jnp.sum(y**2)


def query_independence(non_local: Float[Array, "B N O"]) -> Float[Array, ""]:
    """Return the share of NL's variance over images that its spatial mean explains.

    It is 1 if all nodes of an image get the same (a shared context), and 1 / N if they are
    independent.
    """
    varying = non_local - jnp.mean(non_local, axis=0, keepdims=True)
    explained = jnp.sum(jnp.mean(varying, axis=1) ** 2)
    return explained / jnp.sum(jnp.mean(varying**2, axis=1))


def centred(x: Float[Array, "B N O"]) -> Float[Array, "B N O"]:
    """Subtract the mean of each channel over images and nodes."""
    return x - jnp.mean(x, axis=(0, 1), keepdims=True)
