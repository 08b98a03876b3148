"""The mean of the k nearest pixels' features."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.operator.name = "aggregate"
    return config
