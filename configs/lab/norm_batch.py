"""Batch normalisation in the critic, with the original GAN's loss, as in DCGAN."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    config.loss.name = "non_saturating"
    config.critic.norm = "batch"
    return config
