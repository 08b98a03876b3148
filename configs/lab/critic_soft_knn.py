"""Attention to the k nearest pixels in a learned space, in the critic."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    layer = config.critic.graph_layer
    layer.graph.name = "soft_knn"
    layer.operator.name = "aggregate"
    return config
