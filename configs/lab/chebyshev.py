"""A polynomial of the Laplacian of the kNN graph, made undirected."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.operator.name = "chebyshev"
    return config
