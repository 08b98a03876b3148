"""Edges that are longer than 4 have weight 0."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.graph.knn.threshold = 4.0
    return config
