"""Interpolation between latents, and latent arithmetic; `--mode=interpolate`.

Thesis 2.4.6, after Radford et al. 2016 (arXiv:1511.06434): if images change smoothly between random
latents, the generator has learned; if they jump, it has memorised.
"""

from collections.abc import Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from gcgan_jax.commands.trained import Trained, load_trained
from gcgan_jax.experiment import Experiment
from gcgan_jax.gan.interpolation import latent_path, linear, spherical
from gcgan_jax.gan.rng import Latents
from gcgan_jax.runtime.console import report
from gcgan_jax.storage.image_files import image_grid, write_animation, write_png
from gcgan_jax.storage.workdir import pictures

INTERPOLATIONS = {"spherical": spherical, "linear": linear}


def interpolate(
    experiment: Experiment,
    workdir: Path,
    devices: Sequence[jax.Device] | None = None,
    out: Path | None = None,
) -> None:
    """Write strips, animations and latent arithmetic to `pictures`.

    Also print how much images change per step.

    Args:
        devices: devices to compute on; None: all devices of this process.
        out: directory for `pictures`; None: the workdir.

    Raises:
        UserError: see `load_trained`.
    """
    show = experiment.config.show
    trained = load_trained(experiment, workdir, devices)
    folder = pictures(out or workdir)
    waypoints = trained.latents(range(show.waypoints))
    for name, between in INTERPOLATIONS.items():
        frames = trained.images(along(waypoints, latent_path(waypoints.z, show.steps, between)))
        path = folder / f"{name}-{trained.name}.png"
        write_png(path, image_grid(frames[:-1], columns=show.steps))
        write_animation(path.with_suffix(".gif"), frames)
        mean, largest = step_sizes(frames)
        report(
            f"{name}: {path} and .gif; a pixel changes by {mean:.1f} of 255 per step on average, "
            f"and by {largest:.1f} in the largest step"
        )
    path = folder / f"arithmetic-{trained.name}.png"
    write_png(path, image_grid(arithmetic(trained), columns=4))
    a, b, c = show.arithmetic
    report(f"latents {a}, {b}, {c} and {a} - {b} + {c}: {path}")


def step_sizes(frames: np.ndarray) -> tuple[float, float]:
    """Return mean and maximum over steps of a pixel's mean absolute change; frames [n, H, W, F]."""
    changes = np.abs(np.diff(frames.astype(np.float32), axis=0)).mean(axis=(1, 2, 3))
    return float(changes.mean()), float(changes.max())


def along(waypoints: Latents, z: Array) -> Latents:
    """Combine z [n, L] with the first waypoint's key, so that only z changes along the path."""
    return Latents(z, waypoints.keys[jnp.zeros(len(z), int)])


def arithmetic(trained: Trained) -> np.ndarray:
    """Generate the images of latents a, b, c, and of a - b + c scaled to their mean norm."""
    latents = trained.latents(trained.experiment.config.show.arithmetic)
    a, b, c = latents.z
    z = jnp.stack([a, b, c, a - b + c])
    norms = jnp.linalg.norm(z, axis=-1, keepdims=True)
    return trained.images(along(latents, z.at[3].multiply(norms[:3].mean() / norms[3, 0])))
