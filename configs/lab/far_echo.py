"""The quickstart on 64x64 images whose right edge repeats their left edge, with one more block."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    config.data.name = "far_echo"
    config.data.image_size = 64
    config.batch_size = 8
    return config
