"""The graph layer that carries agreement between distant pixels in docs/why.md.

kNN by products in a learned space, whose choice is trained, and a weighted sum over neighbours.
"""

from configs import default


def get_config():
    config = default.get_config()
    layer = config.generator.graph_layer
    layer.graph.name = "soft_knn"
    layer.graph.soft_knn.metric = "product"
    layer.operator.name = "aggregate"
    return config
