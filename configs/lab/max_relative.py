"""The largest differences to the nearest pixels, as in ViG."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.operator.name = "max_relative"
    return config
