"""EdgeConv and ECC by PyTorch Geometric (PyG).

B images, N nodes, k neighbours, E = B * N * k edges, C features in, O features out.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.nn import EdgeConv, NNConv


class Attention(NNConv):
    """NNConv with edge attention: each message times gamma = exp(-||h_j - h_i||^2 / delta)."""

    def __init__(self, *arguments: Any, delta: float, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.delta = delta

    def message(self, x_j: Tensor, edge_attr: Tensor) -> Tensor:  # [E, C], [E, C] -> [E, O]
        gamma = torch.exp(-edge_attr.square().sum(dim=-1, keepdim=True) / self.delta)
        return gamma * super().message(x_j, edge_attr)


class ECC(nn.Module):
    """Edge-conditioned convolution: a network computes each edge's Theta from h_j - h_i."""

    def __init__(self, C: int, O: int, settings: Mapping[str, Any]) -> None:
        super().__init__()
        hidden = settings["hidden"] or C
        network = nn.Sequential(
            nn.Linear(C, hidden), nn.LeakyReLU(settings["slope"]), nn.Linear(hidden, C * O)
        )
        conv = partial(Attention, delta=settings["delta"]) if settings["attention"] else NNConv
        self.conv = conv(C, O, network, aggr="mean", root_weight=False, bias=False)

    def forward(self, h: Tensor, edges: Tensor) -> Tensor:  # [B * N, C], [2, E] -> [B * N, O]
        # Not h[edges[0]], whose gradient sorts the indices on a GPU.
        h_j, h_i = h.index_select(0, edges[0]), h.index_select(0, edges[1])
        return self.conv(h, edges, h_j - h_i)


def edge_conv(C: int, O: int, settings: Mapping[str, Any]) -> nn.Module:
    """Return PyG's EdgeConv, whose network takes [h_i, h_j - h_i]."""
    network = nn.Sequential(nn.Linear(2 * C, O, bias=False), nn.ReLU())
    return EdgeConv(network, aggr=settings["reduction"])


OPERATORS: dict[str, Callable[..., nn.Module]] = {"edge_conv": edge_conv, "ecc": ECC}
