"""From latent to latent, and sums of latents; `--mode=interpolate`.

Thesis 2.4.6, after Radford et al. 2016 (arXiv:1511.06434): where images change smoothly between
random latents, the generator has learned; where they jump, it has memorised.
"""

from pathlib import Path

import jax.numpy as jnp
import numpy as np

from gcgan_jax.config import Config
from gcgan_jax.log import say
from gcgan_jax.paths import linear, spherical, through
from gcgan_jax.pictures import image_grid, write_animation, write_png
from gcgan_jax.trained import Trained, load_trained

WAYS = {"spherical": spherical, "linear": linear}


def interpolate(config: Config, workdir: Path) -> None:
    """Writes strips, animations and a sum into the workdir's `pictures`; tells how even steps are.

    Raises:
        UserError: there is no such generator.
    """
    trained = load_trained(config, workdir)
    place = workdir / "pictures"
    waypoints = trained.latents(jnp.arange(config.show.waypoints))
    for name, between in WAYS.items():
        frames = trained.images(through(waypoints, config.show.steps, between))
        path = place / f"{name}-{trained.name}.png"
        write_png(path, image_grid(frames[:-1], columns=config.show.steps))
        write_animation(path.with_suffix(".gif"), frames)
        mean, largest = step_sizes(frames)
        say(
            f"{name}: {path} and .gif; from frame to frame a pixel changes by {mean:.1f} of 255 in "
            f"the mean, by {largest:.1f} at the largest step"
        )
    path = place / f"arithmetic-{trained.name}.png"
    write_png(path, image_grid(arithmetic(trained), columns=4))
    a, b, c = config.show.arithmetic
    say(f"latents {a}, {b}, {c} and {a} - {b} + {c}: {path}")


def step_sizes(frames: np.ndarray) -> tuple[float, float]:
    """Mean and maximum, over steps, of the mean absolute change of a pixel: [n, H, W, F]."""
    changes = np.abs(np.diff(frames.astype(np.float32), axis=0)).mean(axis=(1, 2, 3))
    return float(changes.mean()), float(changes.max())


def arithmetic(trained: Trained) -> np.ndarray:
    """Images of latents a, b, c and a - b + c, scaled to the mean norm of the three."""
    a, b, c = trained.latents(jnp.asarray(trained.config.show.arithmetic))
    z = jnp.stack([a, b, c, a - b + c])
    norms = jnp.linalg.norm(z, axis=-1, keepdims=True)
    return trained.images(z.at[3].multiply(norms[:3].mean() / norms[3, 0]))
