"""ECC with edge attention, RMSprop."""

from tests.golden import base


def get_config():
    config = base.get_config()
    config.generator.non_local = "ecc"
    return config
