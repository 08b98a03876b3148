"""Scores one checkpoint under other graphs, and without either branch; `--mode=ablate`.

It shows what this network uses, not what another one could have learned.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np

from gcgan_jax.commands.layer_report import measure_layers
from gcgan_jax.commands.trained import load_trained
from gcgan_jax.config.schema import GraphLayer
from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.features import in_batches
from gcgan_jax.evaluation.paired import GROUPS, Paired, compare, grouped_scores
from gcgan_jax.evaluation.scorers import Scorer
from gcgan_jax.experiment import Experiment
from gcgan_jax.experiment.networks import graph_blocks, has_operator, uses_graph
from gcgan_jax.gan.networks import GAN
from gcgan_jax.gan.sampler import Sampler
from gcgan_jax.graphs import GRAPHS
from gcgan_jax.runtime.console import report
from gcgan_jax.runtime.progress import progress
from gcgan_jax.storage.atomic import write_text

BATCH_NORMS = ("running", "batch")
CONTROLS = ("knn", "self", "grid", "ring", "random", "shuffled", "far")  # graphs without parameters
TRAINED = "as trained"


@dataclass(frozen=True)
class Rule:
    """A change of all graph layers: arguments of `GraphConv` that replace the trained ones."""

    name: str
    arguments: Mapping[str, Any]

    def apply(self, gan: GAN) -> GAN:
        """Return the GAN with a generator whose graph layers follow this rule."""
        graph_conv = partial(gan.generator.graph_conv, **self.arguments)
        return replace(gan, generator=gan.generator.clone(graph_conv=graph_conv))


@dataclass(frozen=True)
class Row:
    """Scores under a rule, with one kind of batch-normalisation statistics."""

    rule: str
    batch_norm: str
    scores: dict[str, Paired]


def ablate(
    experiment: Experiment,
    workdir: Path,
    devices: Sequence[jax.Device] | None = None,
    out: Path | None = None,
) -> None:
    """Print a table of scores and one of the layers' diagnostics; write both as JSON.

    Args:
        devices: devices to compute on; None: all devices of this process.
        out: directory for the JSON; None: the workdir.

    Raises:
        UserError: the generator has no graph layer, there are too few images, or as in
            `load_trained` and `Experiment.evaluator`.
    """
    config = experiment.config
    devices, images = devices or jax.local_devices(), config.show.ablation_images
    if not has_operator(config.generator.graph_layer):
        operator = config.generator.graph_layer.operator.name
        raise UserError(
            f"config.generator.graph_layer.operator.name = {operator!r}: this generator has no "
            "graph layer to ablate: choose a run with one"
        )
    if images % GROUPS:
        raise UserError(
            f"config.show.ablation_images = {images}: must be a multiple of {GROUPS}, the number "
            "of groups that give the errors"
        )
    trained = load_trained(experiment, workdir, devices)
    score = make_score(experiment, images, devices)
    rules = list(make_rules(config.generator.graph_layer, 4 * 2 ** min(graph_blocks(config))))
    jobs = [(rule, batch_norm) for batch_norm in BATCH_NORMS for rule in rules]
    rows: list[Row] = []
    for rule, batch_norm in progress(jobs, len(jobs), "rules"):
        gan = rule.apply(experiment.gan)
        sampler = Sampler(gan, batch_norm, config.eval.batch_size, devices)
        scores = grouped_scores(sampler.first(trained.variables, trained.key, images), score)
        if rule.name == TRAINED:
            original = scores
        rows.append(Row(rule.name, batch_norm, compare(scores, original)))
    layers = measure_layers(experiment, workdir, trained)
    report(as_table(rows))
    for layer, values in layers.items():
        listed = (f"{n} {v:.3g}" for n, v in values.items() if isinstance(v, float))
        report(f"{layer}: {', '.join(listed)}")
    path = (out or workdir) / f"ablation-{trained.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(as_json(rows, images) | {"layers": layers}, indent=1) + "\n")
    report(f"all numbers: {path}")


def make_rules(layer: GraphLayer, side: int) -> Iterator[Rule]:
    """Yield the rules that apply to a layer: graphs that fit its smallest feature map, branches."""
    yield Rule(TRAINED, {})
    if uses_graph(layer):
        k = layer.graph.section["k"]
        for name in CONTROLS:
            graph = partial(GRAPHS[name], k=k)
            if name != layer.graph.name and _fits(graph, side):
                yield Rule(name, {"graph": graph})
    yield Rule("without non-local", {"without": "non_local"})
    yield Rule("without local", {"without": "local"})


def _fits(graph: Callable[..., Any], side: int) -> bool:
    try:
        getattr(graph(), "check", lambda height, width: None)(side, side)
    except ValueError:
        return False
    return True


def make_score(
    experiment: Experiment, images: int, devices: Sequence[jax.Device]
) -> Callable[[np.ndarray], dict[str, float]]:
    """Make a function that scores all images, or one of their groups, by config.eval.network."""
    data = experiment.load_images()

    def scorer(samples: int) -> Scorer:
        protocol = experiment.protocol
        protocol = replace(
            protocol,
            samples=samples,
            splits=min(protocol.splits, samples),
            subset_size=min(protocol.subset_size, samples),
        )
        return replace(experiment, protocol=protocol).evaluator(data, devices).scorer

    scorers = {samples: scorer(samples) for samples in (images, images // GROUPS)}
    batch_size = experiment.config.eval.batch_size

    def score(samples: np.ndarray) -> dict[str, float]:
        batches = in_batches(samples, batch_size, len(devices))
        scores = scorers[len(samples)].score(batches)
        assert scores is not None  # there are enough images
        return {name: value.value for name, value in scores.items()}

    return score


def as_table(rows: Sequence[Row]) -> str:
    """Format all rows as text: each score, and its difference from the trained network's."""
    names = list(rows[0].scores)
    width = max(len(row.rule) for row in rows)
    lines = []
    for batch_norm in BATCH_NORMS:
        lines += [
            f"{batch_norm} statistics",
            "  ".join([" " * width, *(f"{n:>28}" for n in names)]),
        ]
        for row in rows:
            if row.batch_norm == batch_norm:
                cells = (_cell(row.rule, row.scores[name]) for name in names)
                lines.append(
                    "  ".join([f"{row.rule:<{width}}", *(f"{cell:>28}" for cell in cells)])
                )
    return "\n".join(lines)


def _cell(rule: str, score: Paired) -> str:
    if rule == TRAINED:
        return f"{score.value:.4f}"
    return f"{score.value:.4f} ({score.difference:+.4f} ± {score.error:.4f})"


def as_json(rows: Sequence[Row], images: int) -> dict[str, Any]:
    return {"images": images, "rules": [asdict(row) for row in rows]}
