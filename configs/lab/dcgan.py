"""DCGAN: transposed convolutions, batch normalisation in both networks, Adam with its settings."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    config.backbone = "dcgan"
    config.loss.name = "non_saturating"
    config.n_critic = 1
    config.learning_rate = 2e-4
    config.optimizer.b1 = 0.5
    config.optimizer.b2 = 0.999
    config.critic.norm = "batch"
    return config
