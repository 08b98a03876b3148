"""Layer normalisation in the critic."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    config.critic.norm = "layer"
    return config
