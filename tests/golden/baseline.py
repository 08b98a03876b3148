"""No graph layer; two iterations per call."""

from tests.golden import base


def get_config():
    config = base.get_config()
    config.iterations_per_call = 2
    config.log_every = 2
    config.num_iterations = 38
    config.sample_every = config.checkpoint_every = 38
    return config
