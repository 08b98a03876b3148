"""Every second of the 16 nearest pixels."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.graph.knn.dilation = 2
    return config
