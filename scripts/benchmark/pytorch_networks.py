"""The PyTorch reference: the same generators and critic in PyTorch and PyTorch Geometric (PyG).

Written for speed in PyTorch, with its own operators and PyG's layers instead of gcgan_jax's
rewrites (without PyG, `plain_operators.py`); `agreement.py` verifies that both compute the same
function. `pytorch_training.py` trains them.

B images, side H = W, N = H * W nodes (pixels), F features in, C = F + 2, O features out, k
neighbours, E = B * N * k edges.
"""

from importlib.util import find_spec
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from gcgan_jax.config.schema import Config
from scripts.benchmark.cases import blocks

if find_spec("torch_geometric"):
    from scripts.benchmark.pyg_operators import OPERATORS
else:
    from scripts.benchmark.plain_operators import OPERATORS


def non_local(C: int, O: int, config: Config) -> nn.Module:
    """Return the config's operator: (h [B * N, C], edges [2, E]) -> [B * N, O]."""
    operator = config.generator.graph_layer.operator
    return OPERATORS[operator.name](C, O, operator.section)


class GraphConv(nn.Module):
    """(3x3 convolution + non-local operator) / 2 + bias, on the kNN graph of the features."""

    def __init__(self, F: int, O: int, side: int, config: Config) -> None:
        super().__init__()
        self.k = config.generator.graph_layer.graph.section["k"]
        self.local = conv3x3(F, O)
        self.non_local = non_local(F + 2, O, config)
        self.bias = nn.Parameter(torch.zeros(O, 1, 1))
        self.register_buffer("window", in_window(side))
        self.register_buffer("coordinates", coordinates(side))

    def forward(self, x: Tensor) -> Tensor:  # [B, F, H, W] -> [B, O, H, W]
        B, F, H, W = x.shape
        nodes = x.permute(0, 2, 3, 1).reshape(B, H * W, F)
        edges = to_edges(knn(nodes.detach(), self.k, self.window))
        h = torch.cat([nodes, self.coordinates.expand(B, -1, -1)], dim=-1).flatten(0, 1)
        non_local = self.non_local(h, edges).view(B, H, W, -1).permute(0, 3, 1, 2)
        return (self.local(x) + non_local) / 2 + self.bias


def knn(nodes: Tensor, k: int, window: Tensor) -> Tensor:
    """Return the k nearest nodes outside the 3x3 window: [B, N, F] -> [B, N, k].

    Computes -2 h_j h_i + ||h_j||^2 for the whole batch at once, which is faster here than
    `torch.cdist` and than a loop over images. Distances are at least float32, as in gcgan_jax.
    """
    with torch.autocast(nodes.device.type, enabled=False):
        nodes = nodes.to(torch.promote_types(nodes.dtype, torch.float32))
        squares = nodes.square().sum(dim=-1)[:, None]
        distances = torch.baddbmm(squares, nodes, nodes.mT, alpha=-2)  # [B, N, N]
    return distances.masked_fill_(window, torch.inf).topk(k, largest=False).indices


def to_edges(neighbours: Tensor) -> Tensor:
    """Return a batch as one graph: PyG's edge list (sources j, targets i), [B, N, k] -> [2, E]."""
    B, N, k = neighbours.shape
    first = N * torch.arange(B, device=neighbours.device)[:, None, None]
    targets = torch.arange(B * N, device=neighbours.device).repeat_interleave(k)
    return torch.stack([(neighbours + first).flatten(), targets])


def in_window(side: int) -> Tensor:
    """Return whether j lies in the 3x3 window around i: [N, N] booleans."""
    node = torch.arange(side * side)
    row, column = node // side, node % side
    rows, columns = (row[:, None] - row).abs(), (column[:, None] - column).abs()
    return (rows <= 1) & (columns <= 1)


def coordinates(side: int) -> Tensor:
    """Return each pixel's row and column, scaled to [-1, 1]: [N, 2]."""
    line = torch.linspace(-1, 1, side)
    return torch.stack(torch.meshgrid(line, line, indexing="ij"), dim=-1).flatten(0, 1)


def conv3x3(F: int, O: int) -> nn.Module:
    return nn.Conv2d(F, O, 3, padding=1, bias=False)


class Generator(nn.Module):
    """z [B, latent] -> images [B, channels, side, side]; layer names are those of gcgan_jax."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        g = config.generator

        def norm(features: int) -> nn.Module:
            return nn.BatchNorm2d(features, eps=g.norm_epsilon, momentum=1 - g.norm_momentum)

        self.width = g.width
        self.dense = nn.Linear(g.latent_size, 16 * g.width, bias=False)
        self.layers = nn.ModuleDict({"dense_norm": norm(g.width), "dense_relu": nn.ReLU()})
        for block in blocks(config):
            name, features = f"block{block.number}", block.features
            if block.graph:
                second, conv = "graph", GraphConv(features, features, block.side, config)
            else:
                second, conv = "conv", conv3x3(features, features)
            self.layers[f"{name}_double"] = nn.Upsample(scale_factor=2)
            self.layers[f"{name}_up"] = conv3x3(2 * features, features)
            self.layers[f"{name}_up_norm"] = norm(features)
            self.layers[f"{name}_up_relu"] = nn.ReLU()
            self.layers[f"{name}_{second}"] = conv
            self.layers[f"{name}_{second}_norm"] = norm(features)
            self.layers[f"{name}_{second}_relu"] = nn.ReLU()
        self.layers["to_image"] = nn.Conv2d(features, config.data.channels, 1)

    def forward(self, z: Tensor) -> Tensor:
        x = self.dense(z).view(-1, self.width, 4, 4)
        for layer in self.layers.values():
            x = layer(x)
        return torch.tanh(x)


class Critic(nn.Module):
    """Images [B, channels, side, side] -> [B]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.slope = config.critic.slope
        widths = (config.data.channels, *config.critic.widths)
        self.convs = nn.ModuleList(nn.Conv2d(F, O, 5, stride=2) for F, O in pairwise(widths))
        side = config.data.image_size // 2 ** len(self.convs)
        self.dense = nn.Linear(side * side * widths[-1], 1)

    def forward(self, x: Tensor) -> Tensor:
        for conv in self.convs:
            x = functional.pad(x, (1, 2, 1, 2))  # SAME
            x = functional.leaky_relu(conv(x), self.slope)
        return self.dense(x.flatten(1))[:, 0]


def make_networks(config: Config, variant: str) -> tuple[nn.Module, nn.Module]:
    """Return the generator and the critic.

    Args:
        variant: "eager", "channels_last" (memory format) or "compiled" (channels_last, generator
            compiled). The critic is never compiled, as torch.compile lacks the double backward
            that the gradient penalty needs.
    """
    generator, critic = Generator(config), Critic(config)
    if variant != "eager":
        generator = generator.to(memory_format=torch.channels_last)
        critic = critic.to(memory_format=torch.channels_last)
    if variant == "compiled":
        generator.compile()
    return generator, critic
