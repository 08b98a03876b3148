"""Effect of bfloat16 on the Wasserstein estimate during training and on the kNN graphs.

    python -m scripts.benchmark.precision

Trains on procedural images in float32 and in bfloat16 for 50 iterations, then evaluates one state
in both: which share of each graph layer's float32 edges does bfloat16 find too?
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
    columns = ("operator", "float32", "bfloat16", "bfloat16 / float32", "edges shared")
    print(markdown.header(*columns))
    for operator in ("edge_conv", "ecc"):
        float32, bfloat16 = (quickstart_of(operator, dtype) for dtype in ("float32", "bfloat16"))
        state, metrics = train(float32)
        runs = (metrics, train(bfloat16)[1])
        estimates = [np.mean(run["wasserstein"][40:]) for run in runs]
        bfloat16_edges = edges(bfloat16, state)
        shares = [
            f"{layer} {shared(neighbours, bfloat16_edges[layer]):.1%}"
            for layer, neighbours in edges(float32, state).items()
        ]
        cells = [operator, *(f"{estimate:.3f}" for estimate in estimates)]
        cells += [f"{estimates[1] / estimates[0]:.3f}", ", ".join(shares)]
        print(markdown.row(*cells), flush=True)


def quickstart_of(operator: str, dtype: str) -> Experiment:
    """Return the quickstart with this operator, whose training is one call."""
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


def edges(experiment: Experiment, state: State) -> dict[str, np.ndarray]:
    """Return each graph layer's neighbours [B, N, k], for fixed latents."""
    gan = experiment.gan
    latents = draw_latents(experiment.keys.samples, jnp.arange(IMAGES), gan.latent_size)
    _, sown = gan.generator.apply(
        state.generator.variables, *latents, train=False, mutable=["edges"]
    )
    return {layer: np.asarray(sow["neighbours"][0]) for layer, sow in sown["edges"].items()}


def shared(graph: np.ndarray, other: np.ndarray) -> float:
    """Return the share of one graph's edges that the other also contains."""
    return float((graph[..., :, None] == other[..., None, :]).any(axis=-1).mean())


if __name__ == "__main__":
    main()
