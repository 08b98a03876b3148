"""Neighbours by the cosine of the features' angle."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.graph.knn.metric = "cosine"
    return config
