"""Thesis Algorithm 2: WGAN with clipped weights. `--config=configs/algorithm2.py`."""

from configs import default


def get_config():
    config = default.get_config()
    config.loss.name = "wgan"
    config.loss.wgan.clip = 0.01
    config.batch_size = 64
    config.n_critic = 5
    config.learning_rate = 5e-5
    config.optimizer.name = "rmsprop"
    return config
