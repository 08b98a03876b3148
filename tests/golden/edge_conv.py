"""EdgeConv, RMSprop."""

from tests.golden import base


def get_config():
    config = base.get_config()
    config.generator.graph_layer.operator.name = "edge_conv"
    return config
