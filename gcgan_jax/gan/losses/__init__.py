"""Registry of losses: the objectives of both networks."""

from gcgan_jax.gan.losses.loss import Loss
from gcgan_jax.gan.losses.r3gan import R3GAN
from gcgan_jax.gan.losses.separable import WGAN, Hinge, Minimax, NonSaturating
from gcgan_jax.gan.losses.wgan_gp import WGANGP

LOSSES: dict[str, type[Loss]] = {
    "wgan_gp": WGANGP,
    "wgan": WGAN,
    "minimax": Minimax,
    "non_saturating": NonSaturating,
    "hinge": Hinge,
    "r3gan": R3GAN,
}
