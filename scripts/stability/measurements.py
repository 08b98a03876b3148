"""Measurements of lightweight ECC: growth with the features, training, initial size, cost."""

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from configs import default
from configs.lab import low_rank_ecc as config
from gcgan_jax.config.schema import from_mapping
from gcgan_jax.experiment import make_experiment
from gcgan_jax.graphs.gather import gather_nodes
from gcgan_jax.graphs.geometry import coordinates
from gcgan_jax.graphs.knn import KNN
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.layers.graph_conv import GraphConv
from gcgan_jax.operators.ecc import ECC
from gcgan_jax.operators.low_rank_ecc import LowRankECC, low_rank_ecc
from gcgan_jax.operators.low_rank_network import LowRankNetwork
from scripts.finite_training import train

ITERATIONS = 500
WIDTH = 120  # of the generator: 30 features in its graph layer, where the quickstart has 32
SCALES = np.logspace(-2, 2, 9)
SEEDS = range(4)  # of untrained generators
SIZES = {66: 32, 132: 16}  # features: side of the thesis's two graph layers

Record = dict[str, Any]


def layer_inputs(features: int, images: int) -> tuple[Array, Neighbours]:
    """Return rectified normal features with coordinates, and their graph with k = 8."""
    side = SIZES[features]
    x = jax.nn.relu(jax.random.normal(jax.random.key(0), (images, side, side, features)))
    coords = jnp.broadcast_to(coordinates(side, side), (images, side**2, 2))
    h = jnp.concatenate([x.reshape(images, side**2, features), coords], axis=-1)
    return h, jax.jit(KNN(8))(x)


def growth(normalise: bool, adaptive: bool) -> Record:
    """Return norms at SCALES, and slopes of their logarithms, at initialisation.

    Adaptive attention has delta = mean ||d||^2.
    """
    h, neighbours = layer_inputs(66, images=1)
    layer = LowRankECC(66, attention=False)
    network = LowRankNetwork(**layer.init(jax.random.key(1), h, neighbours)["params"])
    cotangent = jax.random.normal(jax.random.key(2), (*h.shape[:2], 66))

    @jax.jit
    def measure(scale: Array) -> dict[str, Array]:
        d = gather_nodes(scale * h[0], neighbours.indices[0]) - scale * h[0, :, None]
        operator = partial(
            low_rank_ecc,
            neighbours=neighbours.indices,
            delta=jnp.mean(jnp.sum(d**2, axis=-1)) if adaptive else None,
            slope=layer.slope,
            normalise=normalise,
        )
        out, vjp = jax.vjp(lambda h, network: operator(h, network=network), scale * h, network)
        by_features, by_weights = vjp(cotangent)
        norm = optax.tree.norm
        return {
            "output": norm(out),
            "feature_gradient": norm(by_features),
            "weight_gradient": norm(by_weights),
        }

    norms = [jax.device_get(measure(scale)) for scale in SCALES]
    record: Record = {"scales": SCALES.tolist()}
    for name in norms[0]:
        values = [float(at_scale[name]) for at_scale in norms]
        slope = np.polyfit(np.log(SCALES), np.log(values), 1)[0]
        record |= {f"{name}_norms": values, f"{name}_slope": float(slope)}
    return record


def training(normalise: bool, attention: bool, seed: int) -> Record:
    """Train for ITERATIONS or until a number is not finite."""
    values = config.get_config()
    values.seed, values.generator.width = seed, WIDTH
    operator = values.generator.graph_layer.operator.low_rank_ecc
    operator.normalise, operator.attention = normalise, attention
    experiment = make_experiment(from_mapping(values.to_dict()))
    images = experiment.load_images()
    diagnose = experiment.diagnostics(images, experiment.sampler(jax.devices()[:1]))
    trained = train(experiment, images, ITERATIONS)
    ratio = "graph/block2_graph/non_local_over_local"
    states = [experiment.init_state(), *([] if trained.error else [trained.state])]
    norms = trained.metrics["generator_gradients"].tolist()
    finite = [norm for norm in norms if np.isfinite(norm)]
    return {
        "error": trained.error,
        "iterations": len(finite),
        "generator_gradients_median": statistics.median(finite),
        "generator_gradients_max": max(finite),
        "non_local_over_local": [diagnose(state)[ratio] for state in states],
    }


def initial(operator: str, width: int, attention: bool) -> Record:
    """Return, by the features of each graph layer, how its branches compare before training.

    These are the ratios of the non-local to the local branch, means over SEEDS: of the norms of the
    outputs, and of those of a random cotangent's gradients with respect to the features.
    """
    values = default.get_config()
    values.data.name, values.generator.width = "twins", width
    layer = values.generator.graph_layer
    layer.operator.name, layer.graph.knn.k = operator, 8
    layer.operator[operator].attention = attention
    model = make_experiment(from_mapping(values.to_dict())).gan.generator
    ratios: dict[int, list[tuple[float, float]]] = {}
    for seed in SEEDS:
        z = jax.random.normal(jax.random.key(seed), (8, values.generator.latent_size))
        for graph_conv, variables, x in graph_layers(model, seed, z):
            local, non_local = (
                branch_norms(graph_conv.clone(without=other), variables, x)
                for other in ("non_local", "local")
            )
            pairs = zip(non_local, local, strict=True)
            ratios.setdefault(x.shape[-1], []).append(tuple(float(a / b) for a, b in pairs))
    return {
        str(features): dict(
            zip(("output", "gradient"), np.mean(rows, axis=0).tolist(), strict=True)
        )
        for features, rows in ratios.items()
    }


def graph_layers(model: nn.Module, seed: int, z: Array) -> Iterator[tuple[GraphConv, Any, Array]]:
    """Yield the graph layers of an untrained generator, their variables and their inputs."""
    found: list[tuple[GraphConv, Any, Array]] = []

    def note(method: Callable, args: Any, kwargs: Any, context: Any) -> Any:
        if isinstance(context.module, GraphConv) and context.method_name == "__call__":
            layer = context.module
            found.append((layer.clone(parent=None), layer.variables, args[0]))
        return method(*args, **kwargs)

    variables = jax.jit(partial(model.init, train=True))(jax.random.key(seed, impl="rbg"), z)
    with nn.intercept_methods(note):
        model.apply(variables, z, train=True, mutable=["batch_stats"])
    yield from found


@partial(jax.jit, static_argnums=0)
def branch_norms(layer: GraphConv, variables: Any, x: Array) -> tuple[Array, Array]:
    """Return the norms of a layer's output, and of a random cotangent's gradient."""
    out, vjp = jax.vjp(lambda x: layer.apply(variables, x), x)
    (gradient,) = vjp(jax.random.normal(jax.random.key(0), out.shape))
    return jnp.linalg.norm(out), jnp.linalg.norm(gradient)


def cost(features: int) -> Record:
    """Compare the gradient of each operator's sum of sines, interleaved, without attention."""
    h, neighbours = layer_inputs(features, images=32)
    operators = {
        "ecc": ECC(features, attention=False),
        "low_rank_ecc": LowRankECC(features, attention=False),
        "low_rank_ecc without circulant layers": LowRankECC(features, attention=False, circulant=1),
    }
    record: Record = {}
    runs: dict[str, Callable[[], Any]] = {}
    for name, operator in operators.items():

        def loss(variables: Any, h: Array, operator: nn.Module = operator) -> Array:
            return jnp.sum(jnp.sin(operator.apply(variables, h, neighbours)))

        variables = operator.init(jax.random.key(1), h, neighbours)
        compiled = jax.jit(jax.grad(loss, argnums=(0, 1))).lower(variables, h).compile()
        runs[name] = partial(compiled, variables, h)
        record[name] = {
            "parameters": sum(leaf.size for leaf in jax.tree.leaves(variables)),
            "temporary_bytes": compiled.memory_analysis().temp_size_in_bytes,
        }
    for name, seconds in interleaved(runs, repetitions=9).items():
        record[name]["seconds"] = seconds
    return record


def interleaved(runs: dict[str, Callable[[], Any]], repetitions: int) -> dict[str, float]:
    """Return the median duration of each run, after a first one that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(1 + repetitions):
        for name, run in runs.items():
            start = time.perf_counter()
            jax.block_until_ready(run())
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(measured[1:]) for name, measured in seconds.items()}
