"""References in plain numpy, with a loop for every sum of an equation: slow but easy to verify.

B images, H rows, W columns, N = H * W nodes, F or C features in, O features out, k neighbours.
"""

from gcgan_jax.references.derivatives import gradients
from gcgan_jax.references.graphs import chebyshev, coordinates, distance, knn, soft_knn
from gcgan_jax.references.layers import (
    batch_norm,
    conv,
    leaky_relu,
    mean_pool,
    transposed_conv,
    upsample,
)
from gcgan_jax.references.losses import critic_loss, generator_loss
from gcgan_jax.references.low_rank_ecc import edge_rms, low_rank_ecc
from gcgan_jax.references.operators import (
    aggregate,
    attention,
    ecc,
    edge_conv,
    global_context,
    max_relative,
    self_attention,
)
from gcgan_jax.references.undirected import adjacency, chebyshev_conv, gcn, normalised

__all__ = [
    "adjacency",
    "aggregate",
    "attention",
    "batch_norm",
    "chebyshev",
    "chebyshev_conv",
    "conv",
    "coordinates",
    "critic_loss",
    "distance",
    "ecc",
    "edge_conv",
    "edge_rms",
    "gcn",
    "generator_loss",
    "global_context",
    "gradients",
    "knn",
    "leaky_relu",
    "low_rank_ecc",
    "max_relative",
    "mean_pool",
    "normalised",
    "self_attention",
    "soft_knn",
    "transposed_conv",
    "upsample",
]
