"""EdgeConv on self-loops: a control that sees no other pixel."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.graph.name = "self"
    return config
