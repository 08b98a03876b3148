"""EdgeConv on random edges: a control."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.graph.name = "random"
    return config
