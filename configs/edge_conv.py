"""Thesis Table 4.1, rows 2 to 4: EdgeConv. `--config=configs/edge_conv.py:K`, K = 8, 16 or 32.

Any other K that fits a 16x16 feature map works too; the default is 8.
"""

from configs import default
from gcgan_jax.ranges import whole_number


def get_config(k="8"):
    config = default.get_config()
    config.generator.graph_layer.operator.name = "edge_conv"
    config.generator.graph_layer.graph.knn.k = whole_number(k)
    return config
