"""The measured process of our side: `python -m scripts.ours_side CASE`."""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from gcgan_jax.config import Config
from gcgan_jax.data import make_twins
from gcgan_jax.devices import number, replicate
from gcgan_jax.draws import streams
from gcgan_jax.figures import make_sampler
from gcgan_jax.gan import build_gan
from gcgan_jax.graph import knn
from gcgan_jax.layers.ecc import FilterNetwork, ecc
from gcgan_jax.layers.edge_conv import edge_conv
from gcgan_jax.optimizer import make_direction
from gcgan_jax.state import State, init_state
from gcgan_jax.train_step import make_train_step
from scripts import turns
from scripts.cases import COORDINATES, FEATURES, SIDE, Case, config_of, parse

Run = Callable[[], object]


def make_run(case: Case) -> Run:
    """What one repetition of the case runs, compiled already."""
    if case.what == "iteration":
        return make_iteration(config_of(case))
    if case.what == "sampling":
        config = config_of(case)
        sampler, state = make_sampler(config, build_gan(config)), fresh_state(config)
        sampler(state, case.batch)
        return lambda: sampler(state, case.batch)
    if case.what == "matmul":
        square = jnp.ones((case.batch, case.batch))
        return compiled(jnp.matmul, square, square)
    return make_operator(case, config_of(case))


def make_iteration(config: Config) -> Run:
    devices = jax.local_devices()[:1]
    train = make_twins(config).train
    images, numbers = replicate(train.reshape(len(train), -1), devices), number(devices)
    state = replicate(fresh_state(config), devices)
    step = make_train_step(config, devices).lower(state, images, numbers).compile()

    def iteration() -> Any:
        nonlocal state
        state, metrics = step(state, images, numbers)
        return jax.block_until_ready((state, metrics))

    return iteration


def fresh_state(config: Config) -> State:
    init = partial(init_state, build_gan(config), make_direction(config.optimizer))
    return jax.jit(init)(streams(config.seed).parameters)


def make_operator(case: Case, config: Config) -> Run:
    """kNN, EdgeConv or ECC on the 32x32 map: forward, or the gradient by features and weights."""
    keys = iter(jax.random.split(jax.random.key(0), 8))
    C = FEATURES + COORDINATES
    x = jax.nn.relu(jax.random.normal(next(keys), (case.batch, SIDE, SIDE, FEATURES)))
    if case.of == "knn":
        return compiled(partial(knn, k=case.k), x)
    neighbours = jax.jit(partial(knn, k=case.k))(x)
    h = jax.nn.relu(jax.random.normal(next(keys), (case.batch, SIDE * SIDE, C)))

    def weights(*shape: int) -> Array:
        return jax.random.normal(next(keys), shape) / C

    if case.of == "edge_conv":
        params = weights(C, FEATURES), weights(C, FEATURES)
        operator = partial(_edge_conv, neighbours)
    else:
        settings = config.generator.ecc
        params = FilterNetwork(
            weights(C, C), weights(C), weights(C, C, FEATURES), weights(C, FEATURES)
        )
        operator = partial(_ecc, neighbours, settings.delta, settings.slope)
    if case.what == "forward":
        return compiled(operator, h, params)
    gradient = jax.grad(lambda h, params: jnp.sum(operator(h, params)), argnums=(0, 1))
    return compiled(gradient, h, params)


def _edge_conv(neighbours: Array, h: Array, params: tuple[Array, Array]) -> Array:
    return edge_conv(h, neighbours, *params)


def _ecc(neighbours: Array, delta: float, slope: float, h: Array, params: FilterNetwork) -> Array:
    return ecc(h, neighbours, params, delta=delta, slope=slope)


def compiled(function: Callable[..., Any], *arguments: Any) -> Run:
    ready = jax.jit(function).lower(*arguments).compile()
    return lambda: jax.block_until_ready(ready(*arguments))


if __name__ == "__main__":
    turns.serve(partial(make_run, parse(sys.argv[1])))
