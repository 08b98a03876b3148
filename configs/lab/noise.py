"""Noise at the input of every block's second layer, with a learned strength per channel."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    config.generator.noise.blocks = (1, 2, 3)
    return config
