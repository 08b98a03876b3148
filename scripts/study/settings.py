"""Settings that the study's runs share: config fields that differ from a file's, by name."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from scripts.study.jobs import Job

LAYER = "generator.graph_layer."
GRAPH, OPERATOR = f"{LAYER}graph.name", f"{LAYER}operator.name"
MEAN = {OPERATOR: "edge_conv", f"{LAYER}operator.edge_conv.reduction": "mean"}
SOFT_KNN = {OPERATOR: "aggregate", GRAPH: "soft_knn"}
ARMS: dict[str, dict[str, Any]] = {  # in 16x16 feature maps or larger ones, with k = 8
    "none": {OPERATOR: "none"},
    "self_attention": {OPERATOR: "self_attention"},
    "knn": MEAN | {GRAPH: "knn"},
    "self": MEAN | {GRAPH: "self"},
    "soft_knn": SOFT_KNN,
    "soft_knn frozen": SOFT_KNN | {f"{LAYER}graph.soft_knn.frozen": True},
    "ring": MEAN | {GRAPH: "ring"},
    "soft_knn edge_conv": MEAN | {GRAPH: "soft_knn"},
    "soft_knn edge_conv frozen": MEAN | {GRAPH: "soft_knn", f"{LAYER}graph.soft_knn.frozen": True},
    "soft_knn k = 64": SOFT_KNN | {f"{LAYER}graph.soft_knn.k": 64},
    "self_attention, no coordinates": {
        OPERATOR: "self_attention",
        f"{LAYER}coordinates": False,
    },
    "soft_knn product": SOFT_KNN | {f"{LAYER}graph.soft_knn.metric": "product"},
    "soft_knn product frozen": SOFT_KNN
    | {
        f"{LAYER}graph.soft_knn.metric": "product",
        f"{LAYER}graph.soft_knn.frozen": True,
    },
    "soft_knn product edge_conv": MEAN
    | {GRAPH: "soft_knn", f"{LAYER}graph.soft_knn.metric": "product"},
    "soft_knn k = 240": SOFT_KNN | {f"{LAYER}graph.soft_knn.k": 240},
    "random": MEAN | {GRAPH: "random"},
    "global": {OPERATOR: "global"},
    "knn k = 32": MEAN | {GRAPH: "knn", f"{LAYER}graph.knn.k": 32},
    "far": MEAN | {GRAPH: "far"},
}
BEST = "soft_knn product"  # of the graphs in A3
SMALL = {  # the quickstart's networks: width 128, critic 32, 64, 128, graph layer in block 2
    "config": "configs/quickstart.py",
    "learning_rate": 5e-4,
    "decay_iterations": 100_000,
    "diagnostic_images": 256,
}
SEES = 1.0  # d' of a critic alone from which on a generator is trained against it
AGREES = 0.1  # agreement of samples from which on a generator carries some
CONSTANT_STEM = {
    "generator.stem": "constant",
    "generator.noise.blocks": (2,),
    "generator.noise.strength": 1.0,
}


def echo(dims: int, **fields: Any) -> dict[str, Any]:
    named = {f"data.echo.{name}": value for name, value in fields.items()}
    return {"data.name": "echo", "data.echo.dims": dims} | named


def seeded(seeds: int | range, arms: Iterable[Job]) -> Iterator[Job]:
    """Yield all arms with one seed before any with the next; a number of seeds counts from 0."""
    seeds, arms = range(seeds) if isinstance(seeds, int) else seeds, [*arms]
    return (replace(arm, seed=seed) for seed in seeds for arm in arms)
