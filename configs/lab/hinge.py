"""The hinge loss, as in SAGAN."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    config.loss.name = "hinge"
    return config
