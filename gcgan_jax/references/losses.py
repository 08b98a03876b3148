"""Losses, from the critic's outputs on a batch; probabilities are sigmoids of these."""

from math import exp, log

from numpy import ndarray


def critic_loss(name: str, real: ndarray, fake: ndarray) -> float:
    """Loss of the critic, without penalties."""
    total = 0.0
    for d_real, d_fake in zip(real, fake, strict=True):
        p_real, p_fake = 1 / (1 + exp(-d_real)), 1 / (1 + exp(-d_fake))
        total += {
            "wgan": d_fake - d_real,
            "minimax": -log(p_real) - log(1 - p_fake),
            "non_saturating": -log(p_real) - log(1 - p_fake),
            "hinge": max(0, 1 - d_real) + max(0, 1 + d_fake),
            "r3gan": -log(1 / (1 + exp(d_fake - d_real))),
        }[name]
    return total / len(real)


def generator_loss(name: str, real: ndarray, fake: ndarray) -> float:
    """Loss of the generator."""
    total = 0.0
    for d_real, d_fake in zip(real, fake, strict=True):
        p_fake = 1 / (1 + exp(-d_fake))
        total += {
            "wgan": -d_fake,
            "minimax": log(1 - p_fake),
            "non_saturating": -log(p_fake),
            "hinge": -d_fake,
            "r3gan": -log(1 / (1 + exp(d_real - d_fake))),
        }[name]
    return total / len(real)
