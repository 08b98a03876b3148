"""EdgeConv, RMSprop."""

from tests.golden import base


def get_config():
    config = base.get_config()
    config.generator.non_local = "edge_conv"
    return config
