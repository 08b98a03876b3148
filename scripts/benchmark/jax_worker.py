"""The measured process of our side: `python -m scripts.benchmark.jax_worker CASE`."""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from gcgan_jax.experiment import Experiment, make_experiment
from gcgan_jax.runtime.devices import device_indices, replicate
from scripts.benchmark import interleaved as turns
from scripts.benchmark.cases import COORDINATES, FEATURES, SIDE, Case, config_of, parse

Run = Callable[[], object]


def make_run(case: Case) -> Run:
    """What one repetition of the case runs, compiled already."""
    if case.what == "matmul":
        square = jnp.ones((case.batch, case.batch))
        return compiled(jnp.matmul, square, square)
    experiment = make_experiment(config_of(case))
    if case.what == "iteration":
        return make_iteration(experiment)
    if case.what == "sampling":
        return make_sampling(experiment, case.batch)
    if case.of == "knn":
        return make_knn(experiment, case.batch)
    return make_operator(experiment, case)


def make_iteration(experiment: Experiment) -> Run:
    devices = jax.local_devices()[:1]
    train = experiment.load_images().train
    images, numbers = replicate(train.reshape(len(train), -1), devices), device_indices(devices)
    state = replicate(experiment.init_state(), devices)
    step = experiment.train_step(devices).lower(state, images, numbers).compile()

    def iteration() -> Any:
        nonlocal state
        state, metrics = step(state, images, numbers)
        return jax.block_until_ready((state, metrics))

    return iteration


def make_sampling(experiment: Experiment, count: int) -> Run:
    sampler = experiment.sampler(jax.local_devices()[:1])
    variables = experiment.init_state().generator.variables
    run = partial(sampler.first, variables, experiment.keys.samples, count)
    run()
    return run


def make_knn(experiment: Experiment, batch: int) -> Run:
    """The graph of the 32x32 map."""
    graph = experiment.gan.generator.graph_conv(FEATURES).graph()
    return compiled(partial(graph.apply, {}), random_maps(batch))


def make_operator(experiment: Experiment, case: Case) -> Run:
    """The operator on the 32x32 map: forward, or the gradient by features and weights."""
    layer = experiment.gan.generator.graph_conv(FEATURES)
    operator = layer.operator(FEATURES)
    neighbours = jax.jit(partial(layer.graph().apply, {}))(random_maps(case.batch))
    shape = case.batch, SIDE * SIDE, FEATURES + COORDINATES
    h = jax.nn.relu(jax.random.normal(jax.random.key(1), shape))
    variables = jax.jit(operator.init)(jax.random.key(2), h, neighbours)

    def forward(h: jax.Array, variables: Any) -> jax.Array:
        return operator.apply(variables, h, neighbours)

    if case.what == "forward":
        return compiled(forward, h, variables)
    gradient = jax.grad(lambda h, variables: jnp.sum(forward(h, variables)), argnums=(0, 1))
    return compiled(gradient, h, variables)


def random_maps(batch: int) -> jax.Array:
    """Features as behind a ReLU, [batch, SIDE, SIDE, FEATURES]."""
    return jax.nn.relu(jax.random.normal(jax.random.key(0), (batch, SIDE, SIDE, FEATURES)))


def compiled(function: Callable[..., Any], *arguments: Any) -> Run:
    ready = jax.jit(function).lower(*arguments).compile()
    return lambda: jax.block_until_ready(ready(*arguments))


if __name__ == "__main__":
    turns.serve(partial(make_run, parse(sys.argv[1])))
