"""The original GAN with the generator's loss that does not saturate."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    config.loss.name = "non_saturating"
    return config
