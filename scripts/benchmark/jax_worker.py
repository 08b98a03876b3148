"""The JAX worker: `python -m scripts.benchmark.jax_worker CASE`."""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from gcgan_jax.experiment import Experiment, make_experiment
from gcgan_jax.runtime.devices import device_indices, replicate
from scripts.benchmark.cases import COORDINATES, FEATURES, SIDE, Case, config_of, parse
from scripts.benchmark.interleaved import serve

Run = Callable[[], object]


def make_run(case: Case) -> Run:
    """Return a compiled function that runs one repetition of the case."""
    if case.task == "matmul":
        square = jnp.ones((case.batch, case.batch))
        return compiled(jnp.matmul, square, square)
    experiment = make_experiment(config_of(case))
    if case.task == "iteration":
        return make_iteration(experiment)
    if case.task == "sampling":
        return make_sampling(experiment, case.batch)
    if case.subject == "knn":
        return make_knn(experiment, case.batch)
    return make_operator(experiment, case)


def make_iteration(experiment: Experiment) -> Run:
    devices = jax.local_devices()[:1]
    train = experiment.load_images().train
    images, indices = replicate(train.reshape(len(train), -1), devices), device_indices(devices)
    state = replicate(experiment.init_state(), devices)
    step = experiment.train_step(devices).lower(state, images, indices).compile()

    def iteration() -> Any:
        nonlocal state
        state, metrics = step(state, images, indices)
        return jax.block_until_ready((state, metrics))

    return iteration


def make_sampling(experiment: Experiment, count: int) -> Run:
    sampler = experiment.sampler(jax.local_devices()[:1])
    variables = experiment.init_state().generator.variables
    run = partial(sampler.first, variables, experiment.keys.samples, count)
    run()
    return run


def make_knn(experiment: Experiment, batch: int) -> Run:
    """Return kNN on the 32x32 feature map."""
    graph = experiment.gan.generator.graph_conv(FEATURES).graph()
    return compiled(partial(graph.apply, {}), random_features(batch))


def make_operator(experiment: Experiment, case: Case) -> Run:
    """Return the operator on the 32x32 feature map: forward, or its gradient (h and weights)."""
    layer = experiment.gan.generator.graph_conv(FEATURES)
    operator = layer.operator(FEATURES)
    neighbours = jax.jit(partial(layer.graph().apply, {}))(random_features(case.batch))
    shape = case.batch, SIDE * SIDE, FEATURES + COORDINATES
    h = jax.nn.relu(jax.random.normal(jax.random.key(1), shape))
    variables = jax.jit(operator.init)(jax.random.key(2), h, neighbours)

    def forward(h: jax.Array, variables: Any) -> jax.Array:
        return operator.apply(variables, h, neighbours)

    if case.task == "forward":
        return compiled(forward, h, variables)
    gradient = jax.grad(lambda h, variables: jnp.sum(forward(h, variables)), argnums=(0, 1))
    return compiled(gradient, h, variables)


def random_features(batch: int) -> jax.Array:
    """Return features after a ReLU, [batch, SIDE, SIDE, FEATURES]."""
    return jax.nn.relu(jax.random.normal(jax.random.key(0), (batch, SIDE, SIDE, FEATURES)))


def compiled(function: Callable[..., Any], *arguments: Any) -> Run:
    executable = jax.jit(function).lower(*arguments).compile()
    return lambda: jax.block_until_ready(executable(*arguments))


if __name__ == "__main__":
    serve(partial(make_run, parse(sys.argv[1])))
