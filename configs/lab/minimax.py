"""The original GAN: both networks play for the same value."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    config.loss.name = "minimax"
    return config
