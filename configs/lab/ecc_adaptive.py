"""ECC whose delta is the batch's mean squared distance along edges."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.operator.name = "ecc"
    layer.operator.ecc.delta_rule = "adaptive"
    return config
