"""Convolutions and graph convolutions: pure functions, and Modules that add their parameters.

What is listed here by name can be put into a graph-convolutional layer; see `graph_conv.GraphConv`.
"""

import flax.linen as nn

from gcgan_jax.layers.ecc import ECC
from gcgan_jax.layers.edge_conv import EdgeConv
from gcgan_jax.layers.graph_conv import Average

OPERATORS: dict[str, type[nn.Module] | None] = {
    "none": None,  # no graph layer at all
    "edge_conv": EdgeConv,
    "ecc": ECC,
}
MERGES: dict[str, type[nn.Module]] = {"average": Average}
