"""The edges of a generator's graph layers, as these record them.

n images, N = side * side nodes of a layer, k neighbours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Edges:
    """Edges of one graph layer; `gamma` is 1 if there are neither attention nor edge weights."""

    neighbours: np.ndarray  # [n, N, k] node indices
    gamma: np.ndarray  # [n, N, k] edge attention times k times the edge weights

    @property
    def side(self) -> int:
        return round(self.neighbours.shape[1] ** 0.5)


def edges_of(recorded: Mapping[str, Any]) -> dict[str, Edges]:
    """Return the edges by name of the layer, from the generator's collection "edges"."""
    edges = {}
    for layer, sown in recorded.items():
        (indices,) = sown["neighbours"]
        (gamma,) = sown.get("non_local", {}).get("gamma", (np.ones(indices.shape, np.float32),))
        for weights in sown.get("weights", ()):
            gamma = gamma * indices.shape[-1] * weights
        edges[layer] = Edges(indices, gamma)
    return edges
