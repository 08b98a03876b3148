"""Measure the stability and cost of lightweight ECC, with and without normalised edge labels.

    python -m scripts.stability --records=docs/results/low_rank_ecc.jsonl \
        --figure=docs/low_rank_ecc.png

Every job adds one line to the records; rerunning skips those that are there. The jobs:

    growth    norms of the output and its gradients against the scale of the features
    training  iterations of `configs/lab/low_rank_ecc.py` until a number is not finite
    cost      parameters, memory and time of the operator and its gradients, against full ECC
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from configs.lab import low_rank_ecc as config
from gcgan_jax.config.schema import from_mapping
from gcgan_jax.errors import NotFiniteError
from gcgan_jax.experiment import make_experiment
from gcgan_jax.graphs.gather import gather_nodes
from gcgan_jax.graphs.geometry import coordinates
from gcgan_jax.graphs.knn import KNN
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.operators.ecc import ECC
from gcgan_jax.operators.low_rank_ecc import LowRankECC, LowRankNetwork, low_rank_ecc
from gcgan_jax.runtime.devices import device_indices, local_copy, replicate
from gcgan_jax.storage.atomic import write_atomically
from gcgan_jax.storage.json_lines import append_json_lines, read_json_lines
from gcgan_jax.training.finite import require_finite_metrics, require_finite_state

ITERATIONS = 500
SEEDS = range(5)
SCALES = np.logspace(-2, 2, 9)
SIZES = {66: 32, 132: 16}  # features: side of the thesis's two graph layers
LABELS = {"raw": False, "normalised": True}  # edge labels: LowRankECC's `normalise`

Record = dict[str, Any]


def jobs() -> dict[str, Callable[[], Record]]:
    """Return all jobs by name."""
    return {
        **{
            f"growth/{labels}/gamma {gamma}": partial(growth, normalise, gamma == "adaptive")
            for labels, normalise in LABELS.items()
            for gamma in ("off", "adaptive")
        },
        **{
            f"training/{labels}/gamma {gamma}/seed {seed}": partial(
                training, normalise, gamma == "on", seed
            )
            for gamma in ("off", "on")
            for seed in SEEDS
            for labels, normalise in LABELS.items()
        },
        **{f"cost/{features} features": partial(cost, features) for features in SIZES},
    }


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
    values.seed = seed
    operator = values.generator.graph_layer.operator.low_rank_ecc
    operator.normalise, operator.attention = normalise, attention
    experiment = make_experiment(from_mapping(values.to_dict()))
    devices = jax.devices()[:1]
    images = experiment.load_images()
    diagnose = experiment.diagnostics(images, experiment.sampler(devices))
    state = replicate(experiment.init_state(), devices)
    ratio = "graph/block2_graph/non_local_over_local"
    ratios = [diagnose(local_copy(state))[ratio]]
    pixels = replicate(images.train.reshape(len(images.train), -1), devices)
    step = experiment.train_step(devices)
    norms: list[float] = []
    error = ""
    try:
        for before in range(0, ITERATIONS, experiment.config.iterations_per_call):
            state, metrics = step(state, pixels, device_indices(devices))
            metrics = jax.device_get(metrics)
            norms += np.asarray(metrics["generator_gradients"]).tolist()
            require_finite_metrics(before + len(metrics["generator_gradients"]), metrics, 0)
        require_finite_state(local_copy(state), 0)
        ratios.append(diagnose(local_copy(state))[ratio])
    except NotFiniteError as stopped:
        error = str(stopped)
    finite = [norm for norm in norms if np.isfinite(norm)]
    return {
        "error": error,
        "iterations": len(finite),
        "generator_gradients_median": statistics.median(finite),
        "generator_gradients_max": max(finite),
        "non_local_over_local": ratios,
    }


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


def plot(records: dict[str, Record], path: Path) -> None:
    """Plot norms against the scale of the features, gamma off."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 2.8), layout="constrained")
    axes = figure.subplots(1, 2)
    for labels in LABELS:
        record = records[f"growth/{labels}/gamma off"]
        for ax, name in zip(axes, ("output", "feature_gradient"), strict=True):
            text = f"{labels}, slope {record[f'{name}_slope']:.1f}"
            ax.loglog(record["scales"], record[f"{name}_norms"], "o-", label=text)
            ax.set_title(f"norm of the {name.replace('_', ' ')}", fontsize=9)
    for ax in axes:
        ax.set_xlabel("scale of the features")
        ax.grid(alpha=0.3)
        ax.legend(title="edge labels", fontsize=8)
    write_atomically(path, lambda file: figure.savefig(file, format="png", dpi=100))


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=Path, required=True, help="file of results (JSON lines)")
    parser.add_argument("--only", default="*", help="pattern of jobs, e.g. 'training/*/seed 0'")
    parser.add_argument("--figure", type=Path, help="output file for a plot (PNG)")
    arguments = parser.parse_args(argv)
    for name, run in jobs().items():
        if fnmatch(name, arguments.only) and name not in read(arguments.records):
            print(name, flush=True)
            append_json_lines(arguments.records, [{"job": name, **run()}])
    if arguments.figure:
        plot(read(arguments.records), arguments.figure)


def read(path: Path) -> dict[str, Record]:
    """Return the records by job."""
    rows = read_json_lines(path, parse=dict, key=lambda row: row["job"]).rows
    return {row["job"]: row for row in rows}


if __name__ == "__main__":
    main()
