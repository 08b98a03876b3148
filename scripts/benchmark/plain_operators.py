"""EdgeConv and ECC by PyTorch's own gathers, for machines without PyTorch Geometric (PyG).

Names and shapes are those of `pyg_operators.py`. As every node has k edges, in order, messages are
a dense [B * N, k, ...] array, which needs no scatter.

B images, N nodes, k neighbours, E = B * N * k edges, C features in, O features out.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn


class EdgeConv(nn.Module):
    """EdgeConv, whose network takes [h_i, h_j - h_i]."""

    def __init__(self, C: int, O: int, settings: Mapping[str, Any]) -> None:
        super().__init__()
        self.nn = nn.Sequential(nn.Linear(2 * C, O, bias=False), nn.ReLU())
        self.reduction = {"sum": torch.sum, "mean": torch.mean, "max": torch.amax}[
            settings["reduction"]
        ]

    def forward(self, h: Tensor, edges: Tensor) -> Tensor:  # [B * N, C], [2, E] -> [B * N, O]
        h_j = neighbours_of(h, edges)
        h_i = h[:, None].expand_as(h_j)
        return self.reduction(self.nn(torch.cat([h_i, h_j - h_i], dim=-1)), dim=1)


class Filters(nn.Module):
    """The network of ECC that computes each edge's Theta."""

    def __init__(self, C: int, hidden: int, O: int, slope: float) -> None:
        super().__init__()
        self.nn = nn.Sequential(nn.Linear(C, hidden), nn.LeakyReLU(slope), nn.Linear(hidden, C * O))


class ECC(nn.Module):
    """Edge-conditioned convolution: a network computes each edge's Theta from h_j - h_i."""

    def __init__(self, C: int, O: int, settings: Mapping[str, Any]) -> None:
        super().__init__()
        self.delta = settings["delta"] if settings["attention"] else None
        self.conv = Filters(C, settings["hidden"] or C, O, settings["slope"])

    def forward(self, h: Tensor, edges: Tensor) -> Tensor:  # [B * N, C], [2, E] -> [B * N, O]
        h_j = neighbours_of(h, edges)
        difference = h_j - h[:, None]
        theta = self.conv.nn(difference).unflatten(-1, (h.shape[-1], -1))  # [B * N, k, C, O]
        messages = (h_j[..., None, :] @ theta)[..., 0, :]
        if self.delta is not None:
            gamma = torch.exp(-difference.square().sum(dim=-1, keepdim=True) / self.delta)
            messages = gamma * messages
        return messages.mean(dim=1)


def neighbours_of(h: Tensor, edges: Tensor) -> Tensor:
    """Return h_j of all edges: [B * N, C], [2, E] -> [B * N, k, C]."""
    # Not h[edges[0]], whose gradient sorts the indices on a GPU.
    return h.index_select(0, edges[0]).view(len(h), -1, h.shape[-1])


OPERATORS: dict[str, Callable[..., nn.Module]] = {"edge_conv": EdgeConv, "ecc": ECC}
