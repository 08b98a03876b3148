"""WGAN-GP's residual networks for CIFAR-10, at a quarter of their width of 128."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    config.backbone = "resnet"
    config.generator.width = 32
    config.critic.widths = (32, 32, 32, 32)
    config.critic.slope = 0.0
    return config
