"""R3GAN: relativistic pairing with penalties at real and generated images."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    config.loss.name = "r3gan"
    return config
