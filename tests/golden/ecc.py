"""ECC with edge attention, RMSprop."""

from tests.golden import base


def get_config():
    config = base.get_config()
    config.generator.graph_layer.operator.name = "ecc"
    return config
