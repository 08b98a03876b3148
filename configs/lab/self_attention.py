"""SAGAN's self-attention, added to its input by a gate that opens from 0 (thesis 4.1 to 4.3)."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.generator.graph_layer
    layer.operator.name = "self_attention"
    layer.local = "identity"
    layer.merge.name = "gate"
    return config
