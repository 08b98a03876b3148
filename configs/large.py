"""64x64 procedural images (4,096 nodes) and a generator of four blocks, one more than the thesis's.

`--config=configs/large.py:OPERATOR,K` with OPERATOR `none`, `edge_conv` (default) or `ecc` and
K = 8 by default. The blocks have 264, 132, 66 and 33 features.
"""

from configs import default
from gcgan_jax.ranges import whole_number


def get_config(argument="edge_conv,8"):
    operator, comma, k = argument.partition(",")
    config = default.get_config()
    config.data.name = "twins"
    config.data.image_size = 64
    config.generator.graph_layer.operator.name = operator
    config.generator.graph_layer.graph.knn.k = whole_number(k if comma else "8")
    config.batch_size = 8
    config.eval.network = "structure"
    return config
