"""The quickstart on images whose right half mirrors the left one."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    config.data.name = "mirror"
    return config
