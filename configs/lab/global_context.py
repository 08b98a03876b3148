"""The mean of all pixels as a shared context: non-local, but without a graph."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.operator.name = "global"
    return config
