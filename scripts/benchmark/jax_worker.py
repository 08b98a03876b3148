"""The JAX worker: `python -m scripts.benchmark.jax_worker CASE`."""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.stages import Compiled

from gcgan_jax.experiment import Experiment, make_experiment
from gcgan_jax.gan.state import State
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.runtime.devices import device_indices, replicate
from scripts.benchmark.cases import COORDINATES, Case, config_of, measured_block, parse
from scripts.benchmark.interleaved import serve

Run = Callable[[], Any]


def make_run(case: Case, toy: bool = False) -> Run:
    """Return a compiled function that starts one repetition of the case, and does not wait for it.

    Args:
        toy: whether to use toy networks instead of the thesis's.
    """
    if case.task == "matmul":
        square = jnp.ones((case.batch, case.batch))
        return compiled(jnp.matmul, square, square)
    experiment = make_experiment(config_of(case, toy))
    if case.task == "iteration":
        return make_iteration(experiment)
    if case.task == "sampling":
        return make_sampling(experiment, case.batch)
    if case.subject == "knn":
        return make_knn(experiment)
    return make_operator(experiment, case)


def make_iteration(experiment: Experiment) -> Run:
    """Return a call of the training step, which returns state and metrics."""
    step, state, constants = compile_iteration(experiment)

    def iteration() -> Any:
        nonlocal state
        state, metrics = step(state, *constants)
        return state, metrics

    return iteration


def compile_iteration(experiment: Experiment) -> tuple[Compiled, State, tuple[jax.Array, ...]]:
    """Return the compiled training step, the initial state, and the step's other arguments."""
    devices = jax.local_devices()[:1]
    train = experiment.load_images().train
    images, indices = replicate(train.reshape(len(train), -1), devices), device_indices(devices)
    state = replicate(experiment.init_state(), devices)
    step = experiment.train_step(devices).lower(state, images, indices).compile()
    return step, state, (images, indices)


def make_sampling(experiment: Experiment, count: int) -> Run:
    sampler = experiment.sampler(jax.local_devices()[:1])
    variables = experiment.init_state().generator.variables
    run = partial(sampler.first, variables, experiment.keys.samples, count)
    run()
    return run


def make_knn(experiment: Experiment) -> Run:
    """Return kNN on the last feature map."""
    features = measured_block(experiment.config).features
    graph = experiment.gan.generator.graph_conv(features).graph()
    return compiled(partial(graph.apply, {}), random_features(experiment))


def make_operator(experiment: Experiment, case: Case) -> Run:
    """Return the operator on the last feature map: forward, or its gradient (h and weights)."""
    block = measured_block(experiment.config)
    layer = experiment.gan.generator.graph_conv(block.features)
    operator = layer.operator(block.features)
    x = random_features(experiment)
    neighbours = jax.jit(partial(layer.graph().apply, {}))(x)
    shape = case.batch, block.side**2, block.features + COORDINATES
    h = jax.nn.relu(jax.random.normal(jax.random.key(1), shape)).astype(x.dtype)
    variables = jax.jit(operator.init)(jax.random.key(2), h, neighbours)

    def forward(h: jax.Array, variables: Any, neighbours: Neighbours) -> jax.Array:
        return operator.apply(variables, h, neighbours)

    def total(*arguments: Any) -> jax.Array:
        return jnp.sum(forward(*arguments).astype(float))

    function = forward if case.task == "forward" else jax.grad(total, argnums=(0, 1))
    return compiled(function, h, variables, neighbours)


def random_features(experiment: Experiment) -> jax.Array:
    """Return features after a ReLU, [batch, side, side, features] of the last feature map."""
    config, block = experiment.config, measured_block(experiment.config)
    shape = config.batch_size, block.side, block.side, block.features
    return jax.nn.relu(jax.random.normal(jax.random.key(0), shape)).astype(config.compute_dtype)


def compiled(function: Callable[..., Any], *arguments: Any) -> Run:
    return partial(jax.jit(function).lower(*arguments).compile(), *arguments)


if __name__ == "__main__":
    serve(partial(make_run, parse(sys.argv[1])), wait=jax.block_until_ready)
