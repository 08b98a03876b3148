"""Attention to the k nearest pixels in a learned space, whose choice gets a gradient."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.graph.name = "soft_knn"
    layer.operator.name = "aggregate"
    return config
