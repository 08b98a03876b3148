"""Measure how much of a critic's difference between real and generated images its gradient shows.

    python -m scripts.critic_jumps --workdir=runs/critic_knn

Along the line from a generated to a real image, D(real) - D(fake) is the integral of the slope of D
plus the sum of its jumps, where a graph in the critic changes. The gradient penalty limits the
former alone. --output=FILE adds the result to a file of JSON lines.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from gcgan_jax.commands.trained import load_state
from gcgan_jax.config.schema import from_mapping
from gcgan_jax.data.pixels import scale
from gcgan_jax.experiment import Experiment, make_experiment
from gcgan_jax.gan.rng import critic_keys, draw_latents
from gcgan_jax.gan.state import State
from gcgan_jax.storage.json_lines import append_json_lines
from gcgan_jax.storage.workdir import read_settings


def measure(experiment: Experiment, state: State, pairs: int, points: int) -> dict[str, Any]:
    """Follow the lines between some generated and held-out images, at equally spaced points.

    Returns:
        Means over pairs of the difference D(real) - D(fake), of the integral of the slope, and of
        the norm of D's gradient.
    """
    gan, indices = experiment.gan, jnp.arange(pairs)
    latents = draw_latents(experiment.keys.samples, indices, gan.latent_size)
    keys = critic_keys(experiment.keys.samples, indices)
    fake, _ = gan.generate(state.generator.variables, latents)
    real = scale(jnp.asarray(experiment.load_images().test[:pairs]))

    @jax.jit
    @jax.default_matmul_precision("highest")
    def at(t: Array) -> tuple[Array, Array, Array]:
        def total(x: Array) -> tuple[Array, Array]:
            values = gan.apply_critic(state.critic.variables, x, keys)
            return jnp.sum(values), values

        gradient, values = jax.grad(total, has_aux=True)((1 - t) * fake + t * real)
        slope = jnp.sum(gradient * (real - fake), axis=(1, 2, 3))
        return values, slope, jnp.sqrt(jnp.sum(gradient**2, axis=(1, 2, 3)))

    values, slopes, norms = map(np.array, zip(*map(at, np.linspace(0, 1, points)), strict=True))
    return {
        "pairs": pairs,
        "points": points,
        "difference": float(np.mean(values[-1] - values[0])),
        "integral_of_slope": float(np.mean(np.trapezoid(slopes, dx=1 / (points - 1), axis=0))),
        "gradient_norm": float(norms.mean()),
    }


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workdir", type=Path, required=True, help="workdir of a trained run")
    parser.add_argument("--pairs", type=int, default=8, help="pairs of images")
    parser.add_argument("--points", type=int, default=1001, help="points on each line")
    parser.add_argument("--output", type=Path, help="file of JSON lines to add the result to")
    arguments = parser.parse_args(argv)
    experiment = make_experiment(from_mapping(read_settings(arguments.workdir)))
    state = load_state(experiment, arguments.workdir)
    layer = experiment.settings["critic"]["graph_layer"]
    described = {
        "data": experiment.config.data.name,
        "graph_after": experiment.config.critic.graph_after,
        "graph": layer["graph"],
        "operator": layer["operator"],
        "merge": layer["merge"],
        "seed": experiment.config.seed,
        "iterations": int(state.iteration),
    }
    entry = described | measure(experiment, state, arguments.pairs, arguments.points)
    print(json.dumps(entry))
    if arguments.output:
        append_json_lines(arguments.output, [entry])


if __name__ == "__main__":
    main()
