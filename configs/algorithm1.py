"""Thesis Algorithm 1: the original GAN. `--config=configs/algorithm1.py`.

One critic update per iteration, and Adam with DCGAN's settings (Radford et al. 2016,
arXiv:1511.06434): the thesis leaves both open.
"""

from configs import default


def get_config():
    config = default.get_config()
    config.loss.name = "minimax"
    config.batch_size = 64
    config.n_critic = 1
    config.learning_rate = 2e-4
    config.optimizer.name = "adam"
    config.optimizer.b1 = 0.5
    config.optimizer.b2 = 0.999
    return config
