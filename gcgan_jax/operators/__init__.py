"""Registry of operators: Modules that define what connected pixels exchange."""

import flax.linen as nn

from gcgan_jax.operators.aggregate import Aggregate
from gcgan_jax.operators.chebyshev import ChebyshevConv
from gcgan_jax.operators.ecc import ECC
from gcgan_jax.operators.edge_conv import EdgeConv
from gcgan_jax.operators.gcn import GCN
from gcgan_jax.operators.global_context import GlobalContext
from gcgan_jax.operators.low_rank_ecc import LowRankECC
from gcgan_jax.operators.max_relative import MaxRelative
from gcgan_jax.operators.self_attention import SelfAttention

OPERATORS: dict[str, type[nn.Module] | None] = {
    "none": None,  # no graph layer
    "edge_conv": EdgeConv,
    "ecc": ECC,
    "low_rank_ecc": LowRankECC,
    "aggregate": Aggregate,
    "max_relative": MaxRelative,
    "gcn": GCN,
    "chebyshev": ChebyshevConv,
    "self_attention": SelfAttention,
    "global": GlobalContext,
}
