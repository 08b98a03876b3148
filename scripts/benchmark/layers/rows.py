"""The rows of the benchmark: the graph layers that are measured, and at which sizes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from configs import default
from gcgan_jax.config.schema import Config, from_mapping
from gcgan_jax.experiment.checks import with_defaults

# Name of each row, and the fields in which its layer differs from that of configs/default.py with
# EdgeConv. The name starts with what is measured:
#   graph, operator  graph and operator together, without the local convolution
#   merge            the whole layer
#   alone            the operator on a graph that was built before
ROWS: dict[str, dict[str, Any]] = {
    "graph/knn": {},
    "graph/knn-cosine": {"graph.knn.metric": "cosine"},
    "graph/knn-exclude-3": {"graph.knn.exclude": 3},
    "graph/knn-dilation-2": {"graph.knn.dilation": 2},
    "graph/knn-position": {"graph.knn.position": 1.0},
    "graph/knn-threshold": {"graph.knn.threshold": 4.0},
    "graph/soft_knn": {"graph.name": "soft_knn"},
    "graph/soft_knn-frozen": {"graph.name": "soft_knn", "graph.soft_knn.frozen": True},
    "graph/soft_knn+aggregate": {"graph.name": "soft_knn", "operator.name": "aggregate"},
    "graph/self": {"graph.name": "self"},
    "graph/grid": {"graph.name": "grid"},
    "graph/ring": {"graph.name": "ring"},
    "graph/random": {"graph.name": "random"},
    "graph/shuffled": {"graph.name": "shuffled"},
    "graph/far": {"graph.name": "far"},
    "operator/edge_conv": {},
    "operator/edge_conv-mean": {"operator.edge_conv.reduction": "mean"},
    "operator/edge_conv-max": {"operator.edge_conv.reduction": "max"},
    "operator/ecc": {"operator.name": "ecc"},
    "operator/ecc-no-attention": {"operator.name": "ecc", "operator.ecc.attention": False},
    "operator/ecc-adaptive": {"operator.name": "ecc", "operator.ecc.delta_rule": "adaptive"},
    "operator/ecc-learned": {"operator.name": "ecc", "operator.ecc.delta_rule": "learned"},
    "operator/low_rank_ecc": {"operator.name": "low_rank_ecc"},
    "operator/low_rank_ecc-circulant-1": {
        "operator.name": "low_rank_ecc",
        "operator.low_rank_ecc.circulant": 1,
    },
    "operator/aggregate": {"operator.name": "aggregate"},
    "operator/max_relative": {"operator.name": "max_relative"},
    "operator/gcn": {"operator.name": "gcn"},
    "operator/chebyshev": {"operator.name": "chebyshev"},
    "operator/self_attention": {"operator.name": "self_attention"},
    "operator/global": {"operator.name": "global"},
    "merge/average": {},
    "merge/average-normalised": {"merge.average.normalise": True},
    "merge/sum": {"merge.name": "sum"},
    "merge/gate": {"merge.name": "gate"},
    "merge/scale": {"merge.name": "scale"},
    "alone/ecc": {"operator.name": "ecc"},
    "alone/low_rank_ecc": {"operator.name": "low_rank_ecc"},
}
REFERENCE = "operator/edge_conv"  # kNN and EdgeConv
REFERENCES = {"alone": "alone/ecc"}  # of other kinds of rows: with which they alternate
TASKS = ("forward", "gradient")


@dataclass(frozen=True)
class Shape:
    """Sizes of a measured layer: its feature maps are [batch, side, side, features], in and out."""

    batch: int = 32
    side: int = 32
    features: int = 66
    k: int = 8

    def __str__(self) -> str:
        return f"{self.batch}x{self.side}x{self.side}x{self.features}:{self.k}"


def kind(row: str) -> str:
    """Return what is measured, the first part of the name."""
    return row.partition("/")[0]


def config_of(changes: Mapping[str, Any], k: int) -> Config:
    """Return a config whose generator has a row's layer, with k neighbours.

    Raises:
        UserError: a part or a field of it does not exist.
    """
    values = default.get_config().to_dict()
    layer = values["generator"]["graph_layer"]
    graph = changes.get("graph.name", layer["graph"]["name"])
    changes = {"operator.name": "edge_conv", f"graph.{graph}.k": k} | dict(changes)
    for path, value in changes.items():
        *sections, field = path.split(".")
        fields = layer
        for name in sections:
            fields = fields.setdefault(name, {})
        fields[field] = value
    return with_defaults(from_mapping(values))
