"""WGAN: the critic's parameters are clipped to [-0.01, 0.01] after each update."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    config.loss.name = "wgan"
    return config
