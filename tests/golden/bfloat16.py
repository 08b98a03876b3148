"""EdgeConv, with matmuls and convolutions in bfloat16."""

from tests.golden import edge_conv


def get_config():
    config = edge_conv.get_config()
    config.compute_dtype = "bfloat16"
    return config
