"""What bfloat16 changes: the training's Wasserstein estimate, and the neighbours that are found.

    python -m scripts.benchmark.precision

Trains on procedural images in float32 and in bfloat16 for 50 iterations, then gives one state to
both: of each graph layer's edges in float32, how many does bfloat16 find too?
"""

import jax
import jax.numpy as jnp
import numpy as np

from configs import quickstart
from gcgan_jax.config.schema import from_mapping
from gcgan_jax.experiment import Experiment, make_experiment
from gcgan_jax.gan.rng import draw_latents
from gcgan_jax.gan.state import State
from gcgan_jax.report import markdown
from gcgan_jax.runtime.devices import device_indices, replicate

ITERATIONS = 50
IMAGES = 32


def main() -> None:
    columns = ("operator", "float32", "bfloat16", "bfloat16 / float32", "edges found too")
    print(markdown.header(*columns))
    for operator in ("edge_conv", "ecc"):
        wide, narrow = (small(operator, dtype) for dtype in ("float32", "bfloat16"))
        state, metrics = train(wide)
        estimates = [np.mean(found["wasserstein"][40:]) for found in (metrics, train(narrow)[1])]
        both = graphs(narrow, state)
        shares = [
            f"{layer} {shared(edges, both[layer]):.1%}"
            for layer, edges in graphs(wide, state).items()
        ]
        cells = [operator, *(f"{estimate:.3f}" for estimate in estimates)]
        cells += [f"{estimates[1] / estimates[0]:.3f}", ", ".join(shares)]
        print(markdown.row(*cells), flush=True)


def small(operator: str, dtype: str) -> Experiment:
    """The quickstart's training of an operator, in one call."""
    values = quickstart.get_config()
    values.generator.graph_layer.operator.name = operator
    values.compute_dtype = dtype
    for period in ("iterations_per_call", "num_iterations", "log_every", "sample_every"):
        values[period] = ITERATIONS
    values.checkpoint_every = ITERATIONS
    return make_experiment(from_mapping(values.to_dict()))


def train(experiment: Experiment) -> tuple[State, dict[str, np.ndarray]]:
    devices = jax.devices()[:1]
    images = experiment.load_images().train
    return jax.device_get(
        experiment.train_step(devices)(
            replicate(experiment.init_state(), devices),
            replicate(images.reshape(len(images), -1), devices),
            device_indices(devices),
        )
    )


def graphs(experiment: Experiment, state: State) -> dict[str, np.ndarray]:
    """Each graph layer's neighbours [B, N, k], of the same latents."""
    gan = experiment.gan
    latents = draw_latents(experiment.keys.samples, jnp.arange(IMAGES), gan.latent_size)
    _, found = gan.generator.apply(
        state.generator.variables, *latents, train=False, mutable=["edges"]
    )
    return {layer: np.asarray(edges["neighbours"][0]) for layer, edges in found["edges"].items()}


def shared(wide: np.ndarray, narrow: np.ndarray) -> float:
    """Share of the edges of one graph that the other has too."""
    return float((wide[..., :, None] == narrow[..., None, :]).any(axis=-1).mean())


if __name__ == "__main__":
    main()
