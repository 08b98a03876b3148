"""The non-local branch behind a learned gate that opens from 0."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.merge.name = "gate"
    return config
