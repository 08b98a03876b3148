"""What bfloat16 changes: the training's Wasserstein estimate, and the neighbours that are found.

    python -m scripts.precision

Trains on procedural images in float32 and in bfloat16 for 50 iterations, then gives one state to
both: of each graph layer's edges in float32, how many does bfloat16 find too?
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from configs import quickstart
from gcgan_jax.config import Config, from_mapping
from gcgan_jax.data import make_twins
from gcgan_jax.devices import number, replicate
from gcgan_jax.draws import draw_latents, streams
from gcgan_jax.gan import build_gan
from gcgan_jax.graph import knn
from gcgan_jax.layers.graph_conv import GraphConv
from gcgan_jax.state import State
from gcgan_jax.train_step import make_train_step
from scripts import markdown
from scripts.ours_side import fresh_state

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


def small(operator: str, dtype: str) -> Config:
    """The quickstart's training of an operator, in one call."""
    values = quickstart.get_config()
    values.generator.non_local = operator
    values.compute_dtype = dtype
    for period in ("iterations_per_call", "num_iterations", "log_every", "sample_every"):
        values[period] = ITERATIONS
    values.checkpoint_every = ITERATIONS
    return from_mapping(values.to_dict())


def train(config: Config) -> tuple[State, dict[str, np.ndarray]]:
    devices = jax.devices()[:1]
    images = make_twins(config).train
    return jax.device_get(
        make_train_step(config, devices)(
            replicate(fresh_state(config), devices),
            replicate(images.reshape(len(images), -1), devices),
            number(devices),
        )
    )


def graphs(config: Config, state: State) -> dict[str, np.ndarray]:
    """Each graph layer's neighbours [B, N, k], of the same latents."""
    gan, found = build_gan(config), {}

    def watch(next_call: Any, arguments: Any, options: Any, context: Any) -> Any:
        if isinstance(context.module, GraphConv) and context.method_name == "__call__":
            found[context.module.name] = knn(arguments[0], config.generator.k)
        return next_call(*arguments, **options)

    z = draw_latents(streams(config.seed).looking, jnp.arange(IMAGES), gan.latent_size)
    with nn.intercept_methods(watch):
        gan.generator.apply(state.generator_variables, z, train=False)
    return jax.device_get(found)


def shared(wide: np.ndarray, narrow: np.ndarray) -> float:
    """Share of the edges of one graph that the other has too."""
    return float((wide[..., :, None] == narrow[..., None, :]).any(axis=-1).mean())


if __name__ == "__main__":
    main()
