"""EdgeConv on the spatially nearest pixels outside the 3x3 window: a control."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.graph.name = "ring"
    return config
