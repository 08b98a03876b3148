"""ECC, the batch split across two devices."""

from tests.golden import ecc

DEVICES = 2


def get_config():
    return ecc.get_config()
