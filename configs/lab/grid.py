"""EdgeConv on the 3x3 window, which the local convolution sees as well: a control."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.graph.name = "grid"
    return config
