"""The average of both branches after batch normalisation of each."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.merge.average.normalise = True
    return config
