"""A small EdgeConv generator on procedural images: under 5 minutes on 2 CPU cores, no download.

`--config=configs/quickstart.py`. The last sample grid shows discs, squares, triangles and crosses;
those on each image's diagonal are alike.
"""

from configs import default


def get_config():
    config = default.get_config()
    config.data.name = "twins"
    config.num_iterations = 500
    config.decay_iterations = 1_000
    config.learning_rate = 5e-4
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
