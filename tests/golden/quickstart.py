"""The networks, data and optimiser of the quickstart, with an entry for every iteration."""

from tests.golden import base


def get_config():
    config = base.get_config()
    config.batch_size = 32
    config.n_critic = 5
    config.decay_iterations = 1_000
    config.learning_rate = 5e-4
    config.optimizer.name = "adam"
    config.data.image_size = 32
    config.data.twins.num_train = 10_000
    config.data.twins.num_test = 1_000
    config.generator.latent_size = 132
    config.generator.width = 128
    config.generator.graph_layer.operator.name = "edge_conv"
    config.generator.graph_blocks = (2,)
    config.generator.graph_layer.graph.knn.k = 8
    config.critic.widths = (32, 64, 128)
    return config
