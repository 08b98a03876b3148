"""Neighbours from outside a 5x5 window."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.graph.knn.exclude = 2
    return config
