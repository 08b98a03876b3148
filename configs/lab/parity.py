"""The quickstart on images with an even number of white tiles, which no part of them shows."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    config.data.name = "parity"
    return config
