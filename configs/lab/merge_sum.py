"""The sum of both branches instead of their average."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.merge.name = "sum"
    return config
