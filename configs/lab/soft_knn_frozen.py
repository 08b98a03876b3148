"""`soft_knn.py` without the gradient to the learned space: a control."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.graph.name = "soft_knn"
    layer.graph.soft_knn.frozen = True
    layer.operator.name = "aggregate"
    return config
