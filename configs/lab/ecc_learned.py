"""ECC with a learned delta, which starts at 10."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.operator.name = "ecc"
    layer.operator.ecc.delta_rule = "learned"
    return config
