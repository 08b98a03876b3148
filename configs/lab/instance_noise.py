"""Noise on what the critic sees, with the original GAN's loss, whose gradient it keeps alive."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    config.loss.name = "minimax"
    config.instance_noise.sigma = 0.5
    config.instance_noise.decay_iterations = 300
    return config
