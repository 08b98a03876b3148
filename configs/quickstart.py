"""A small EdgeConv generator on procedural images, which need no download.

`--config=configs/quickstart.py` trains for 2 to 4 minutes on 2 CPU cores. The last sample grid
shows discs, squares, triangles and crosses; those on each image's diagonal should have the same
shape and hue.
"""

from configs import default


def get_config():
    config = default.get_config()
    config.data.name = "twins"
    config.num_iterations = 400
    config.decay_iterations = 1_000
    config.n_critic = 3
    config.learning_rate = 1e-3
    config.iterations_per_call = 5
    config.optimizer.name = "adam"
    config.generator.graph_layer.operator.name = "edge_conv"
    config.generator.graph_blocks = (2,)
    config.generator.width = 128
    config.critic.widths = (32, 64, 128)
    config.log_every = 25
    config.diagnostic_images = 64
    config.sample_every = 100
    config.checkpoint_every = 100
    config.eval.network = "structure"
    return config
