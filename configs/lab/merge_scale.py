"""The non-local branch behind a learned scale per channel (LayerScale)."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.merge.name = "scale"
    return config
