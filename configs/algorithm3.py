"""Thesis Algorithm 3: WGAN with gradient penalty. `--config=configs/algorithm3.py`.

The thesis's own experiments, as in `baseline.py`, use RMSprop instead of Adam.
"""

from configs import default


def get_config():
    config = default.get_config()
    config.loss.name = "wgan_gp"
    config.loss.wgan_gp.penalty_weight = 10.0
    config.n_critic = 5
    config.learning_rate = 1e-4
    config.optimizer.name = "adam"
    config.optimizer.b1 = 0.0
    config.optimizer.b2 = 0.9
    return config
