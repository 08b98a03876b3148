"""EdgeConv on a kNN graph in the critic, after its first convolution."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.critic.graph_layer
    layer.operator.name = "edge_conv"
    layer.operator.edge_conv.reduction = "mean"
    return config
