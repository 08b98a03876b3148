"""Operators by name: Modules that say what the connected pixels exchange."""

import flax.linen as nn

from gcgan_jax.operators.ecc import ECC
from gcgan_jax.operators.edge_conv import EdgeConv

OPERATORS: dict[str, type[nn.Module] | None] = {
    "none": None,  # no graph layer at all
    "edge_conv": EdgeConv,
    "ecc": ECC,
}
