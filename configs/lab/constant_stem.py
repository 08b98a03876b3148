"""A constant stem: all variation comes from noise at the input of the graph layer."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    config.generator.stem = "constant"
    config.generator.noise.blocks = (2,)
    config.generator.noise.strength = 1.0
    return config
