"""The worker of a row: `python -m scripts.benchmark.layers.worker graph/knn 32 32 66 8`.

Its requests are "describe" and the tasks. The layer is the generator's own, in float32.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.stages import Compiled

from gcgan_jax.experiment.networks import make_gan
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.layers.graph_conv import GraphConv
from gcgan_jax.layers.statistics import BatchStatistics
from scripts.benchmark.interleaved import answer_lines, describe_error
from scripts.benchmark.layers.rows import ROWS, TASKS, Shape, config_of, kind
from scripts.benchmark.targets import memory

LOCAL = ("local", "bias")  # the layer's parameters that belong to none of the measured parts


class NonLocalBranch(nn.Module):
    """A merge that drops the local branch, whose convolution the compiler then leaves out."""

    def __call__(self, local: jax.Array, non_local: jax.Array) -> jax.Array:
        return non_local


class Inputs(NamedTuple):
    """What a layer is measured on.

    Attributes:
        x: feature maps after a ReLU.
        params: parameters of the layer.
        state: its other variables.
        keys: a key per image.
        neighbours: the graph, if it is not measured.
        cotangent: the gradient of the output.
    """

    x: jax.Array
    params: Any
    state: Any
    keys: jax.Array
    neighbours: Neighbours | None
    cotangent: jax.Array


def make_layer(row: str, k: int, features: int) -> GraphConv:
    """Build the layer as it trains, with the statistics of each batch."""
    statistics = BatchStatistics(momentum=0.9, epsilon=1e-5, use_running_average=False)
    make = make_gan(config_of(ROWS[row], k)).generator.graph_conv
    layer = make(features, statistics=statistics)
    return layer if kind(row) == "merge" else layer.clone(merge=NonLocalBranch)


def make_inputs(layer: GraphConv, shape: Shape, *, given_graph: bool) -> Inputs:
    keys = jax.random.split(jax.random.key(0), 4)
    size = (shape.batch, shape.side, shape.side, shape.features)
    x = jax.nn.relu(jax.random.normal(keys[0], size))
    image_keys = jax.random.split(keys[1], shape.batch)
    variables = jax.jit(layer.init)(keys[2], x, image_keys)
    state = {name: variables[name] for name in ("batch_stats",) if name in variables}
    neighbours = None
    if given_graph:
        build = jax.jit(layer.graph().init_with_output)
        neighbours, _ = build(keys[2], x, image_keys)
    cotangent = jax.random.normal(keys[3], size)
    return Inputs(x, variables["params"], state, image_keys, neighbours, cotangent)


def forward(layer: GraphConv, inputs: Inputs) -> jax.Array:
    if inputs.neighbours is not None:
        layer = layer.clone(graph=lambda name: lambda x, keys: inputs.neighbours)
    variables = {"params": inputs.params, **inputs.state}
    return layer.apply(variables, inputs.x, inputs.keys, mutable=list(inputs.state))[0]


def gradient(layer: GraphConv, inputs: Inputs) -> Any:
    """Return the gradient with respect to features and parameters, with the value.

    Without the value, compilers leave out a forward pass that is recomputed.
    """

    def product(x: jax.Array, params: Any) -> jax.Array:
        return jnp.vdot(forward(layer, inputs._replace(x=x, params=params)), inputs.cotangent)

    return jax.value_and_grad(product, argnums=(0, 1))(inputs.x, inputs.params)


def make_answer(row: str, shape: Shape) -> Callable[[str], dict[str, Any]]:
    """Return the worker's answers, of which each is {"error": …} if the layer cannot be built."""
    try:
        layer = make_layer(row, shape.k, shape.features)
        inputs = make_inputs(layer, shape, given_graph=kind(row) == "alone")
        compiled = {
            task: jax.jit(partial(function, layer)).lower(inputs).compile()
            for task, function in zip(TASKS, (forward, gradient), strict=True)
        }
    except Exception as error:  # a part can fail in any way; the others are measured all the same
        failure = {"error": describe_error(error)}
        return lambda _: failure
    return lambda request: (
        describe(inputs, compiled) if request == "describe" else repeat(compiled[request], inputs)
    )


def describe(inputs: Inputs, compiled: dict[str, Compiled]) -> dict[str, Any]:
    """Return the number of parameters, and the bytes of each task by the compiler's plan."""
    parts = {name: tree for name, tree in inputs.params.items() if name not in LOCAL}
    return {
        "parameters": sum(leaf.size for leaf in jax.tree.leaves(parts)),
        "bytes": {name: memory(task.memory_analysis())["total"] for name, task in compiled.items()},
    }


def repeat(task: Compiled, inputs: Inputs) -> dict[str, float]:
    start = time.perf_counter()
    jax.block_until_ready(task(inputs))
    return {"seconds": time.perf_counter() - start}


if __name__ == "__main__":
    shape = Shape(*map(int, sys.argv[2:]))
    answer_lines(partial(make_answer, sys.argv[1], shape))
