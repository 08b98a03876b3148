"""Adds the components of a graph layer to a small classifier one by one; `--mode=probe`.

Thesis chapter 5 proposes this experiment. It needs no trained run, but labelled images.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import jax
import numpy as np
from flax.traverse_util import flatten_dict

from gcgan_jax.config.choices import Choice
from gcgan_jax.config.schema import Config, GraphLayer
from gcgan_jax.data import DATASETS
from gcgan_jax.data.images import Labelled
from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.probe import Examples, Probe, Training, init, train_probe
from gcgan_jax.experiment import Experiment
from gcgan_jax.experiment.networks import graph_blocks, make_gan, uses_graph
from gcgan_jax.ranges import OneOf
from gcgan_jax.report import markdown
from gcgan_jax.report.paired import LEVEL, cells, compare, pair
from gcgan_jax.runtime.console import report
from gcgan_jax.runtime.progress import progress
from gcgan_jax.storage.atomic import write_text

FILE = "probe.json"
SIMPLEST = "aggregate"  # the operator that shows what the graph gives: means over neighbours
COLUMNS = (
    *("stage", "parameters", "test accuracy"),
    *(f"change by this component, {LEVEL:.0%} interval", "p"),
    *("change from local only", "p"),
)


@dataclass(frozen=True)
class Stage:
    """A graph layer with some of its components, and a branch that is left out, if any."""

    name: str
    layer: GraphLayer
    without: str | None = None


def probe(experiment: Experiment, workdir: Path, out: Path | None = None) -> None:
    """Print the test accuracy of each stage over seeds; write all accuracies as JSON.

    Args:
        out: directory for the JSON; None: the workdir.

    Raises:
        UserError: the data set has no labels, too few images or cannot be loaded; or there is no
            graph layer, or it does not fit the classifier.
    """
    config = experiment.config
    train, test = load_examples(experiment)
    parameters: dict[str, int] = {}
    runs = {}
    for stage in stages(config):
        network = make_probe(config, stage, classes=int(max(train.labels)) + 1)
        parameters[stage.name] = count_parameters(network, train, stage.without)
        runs[stage.name] = compiled(config, network)
    accuracies: dict[str, dict[int, float]] = {name: {} for name in runs}
    jobs = list(product(runs, range(config.probe.seeds)))
    for name, seed in progress(jobs, len(jobs), "classifiers"):
        accuracies[name][seed] = float(runs[name](train, test, jax.random.key(seed)))
    results = {
        "data": config.data.name,
        "operator": config.generator.graph_layer.operator.name,
        "probe": asdict(config.probe),
        "parameters": parameters,
        "accuracy": accuracies,
    }
    report(as_table(results))
    path = (out or workdir) / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(results, indent=1) + "\n")
    report(f"all numbers: {path}")


def stages(config: Config) -> Iterator[Stage]:
    """Yield the stages of the generator's graph layer, each with one component more.

    Raises:
        UserError: the generator has no graph layer.
    """
    layer = config.generator.graph_layer
    operator = layer.operator
    if not graph_blocks(config):
        raise UserError(
            f"config.generator.graph_layer.operator.name = {operator.name!r}: there is no graph "
            "layer to probe: choose a config with one, such as configs/ecc.py"
        )
    plain = replace(layer, operator=_without_attention(operator), coordinates=False)
    yield Stage("local only", plain, without="non_local")
    if uses_graph(layer) and operator.name != SIMPLEST:
        yield Stage("+ graph", replace(plain, operator=Choice(SIMPLEST, {})))
    yield Stage(f"+ {operator.name}", plain)
    if layer.coordinates:
        plain = replace(plain, coordinates=True)
        yield Stage("+ coordinates", plain)
    if operator.section.get("attention"):
        yield Stage("+ gamma", replace(plain, operator=operator))


def _without_attention(operator: Choice) -> Choice:
    if "attention" not in operator.section:
        return operator
    return Choice(operator.name, {operator.name: {**operator.section, "attention": False}})


def make_probe(config: Config, stage: Stage, classes: int) -> Probe:
    """Build the classifier of a stage; the layer is the same as in a generator."""
    generator = replace(config.generator, graph_layer=stage.layer)
    graph_conv = make_gan(replace(config, generator=generator)).generator.graph_conv
    return Probe(config.probe.width, classes, partial(graph_conv, without=stage.without))


def count_parameters(network: Probe, examples: Examples, without: str | None) -> int:
    """Return the number of parameters that affect the logits.

    Raises:
        UserError: the graph layer does not fit the classifier.
    """
    try:
        shapes = jax.eval_shape(partial(init, network, examples), jax.random.key(0))
    except ValueError as error:
        side = examples.images.shape[1] // 2
        raise UserError(
            f"config.probe.width = {network.width}: the graph layer does not fit the classifier's "
            f"{side}x{side} map ({error}): change one of them"
        ) from None
    return sum(
        leaf.size
        for path, leaf in flatten_dict(shapes["params"]).items()
        if without is None or without not in path
    )


def compiled(config: Config, network: Probe) -> Any:
    """Return the compiled function of examples and a key that trains and tests a classifier."""
    p = config.probe
    training = Training(p.steps, p.batch_size, p.learning_rate)

    @jax.jit
    @jax.default_matmul_precision(config.matmul_precision)
    def run(train: Examples, test: Examples, key: jax.Array) -> jax.Array:
        return train_probe(network, training, train, test, key)

    return run


def load_examples(experiment: Experiment) -> tuple[Examples, Examples]:
    """Load the first labelled images of both splits.

    Raises:
        UserError: the data set has no labels, too few images or cannot be loaded.
    """
    name, dataset = experiment.config.data.name, experiment.dataset
    if not isinstance(dataset, Labelled):
        labelled = tuple(name for name, kind in DATASETS.items() if issubclass(kind, Labelled))
        raise UserError(
            f"config.data.name = {name!r}: these images have no labels: {OneOf(labelled)}"
        )
    images, labels = dataset.load_labelled()
    p = experiment.config.probe
    counts = {"train": p.train_images, "test": p.test_images}
    for split, count in counts.items():
        found = len(getattr(images, split))
        if found < count:
            raise UserError(
                f"config.probe.{split}_images = {count}: {name} has {found} such images: choose "
                "fewer"
            )
    first, held_out = (
        Examples(x[:count], np.asarray(y[:count], np.int32))
        for x, y, count in zip(images, labels, counts.values(), strict=True)
    )
    return first, held_out


def as_table(results: Mapping[str, Any]) -> str:
    """Format accuracies, mean ± standard deviation over seeds, and their paired differences.

    Each of both columns of differences is one family of comparisons.
    """
    accuracy = {
        name: {int(seed): value for seed, value in by_seed.items()}
        for name, by_seed in results["accuracy"].items()
    }
    names = list(accuracy)
    by_component = compare(
        {name: pair(accuracy[name], accuracy[before]) for before, name in pairwise(names)}
    )
    from_local = compare({name: pair(accuracy[name], accuracy[names[0]]) for name in names[1:]})
    lines = [markdown.header(*COLUMNS)]
    for name, by_seed in accuracy.items():
        values = np.array([*by_seed.values()])
        spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
        changes = [cells(of.get(name))[:2] for of in (by_component, from_local)]
        lines.append(
            markdown.row(
                name,
                f"{results['parameters'][name]:,}",
                f"{np.mean(values):.3f}{spread}",
                *(cell for change in changes for cell in change),
            )
        )
    return "\n".join(lines)
