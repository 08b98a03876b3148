"""Neighbours that are near in features and in the image."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.graph.knn.position = 1.0
    return config
