"""The normalised adjacency matrix of the kNN graph, made undirected."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.operator.name = "gcn"
    return config
