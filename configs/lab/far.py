"""EdgeConv on a kNN graph that leaves out 9x9 pixels around each: a control."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.graph.name = "far"
    return config
