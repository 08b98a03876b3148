"""The quickstart on images whose cells have colours about one of the image's own."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    config.data.name = "palette"
    return config
