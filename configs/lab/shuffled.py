"""EdgeConv on the kNN graph of another image of the batch: a control."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.graph.name = "shuffled"
    return config
