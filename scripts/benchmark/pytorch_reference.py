"""The same generators, critic and training in PyTorch and PyTorch Geometric: what we compare with.

Written as one would for speed in PyTorch, by its own operators and PyG's own layers, not by our
rewrites; `agreement.py` proves that both compute the same. Two things differ that take no time: the
learning rate is constant, and the fakes drawn for the critic move the generator's running averages.

B images, side H = W, N = H * W nodes (pixels), F features in, C = F + 2, O features out, k
neighbours, E = B * N * k edges.
"""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import EdgeConv, NNConv

from gcgan_jax.config.schema import Config, Optimizer
from scripts.benchmark.cases import blocks

VARIANTS = ("eager", "channels_last", "compiled")

Metrics = dict[str, Tensor]


class Attention(NNConv):
    """NNConv with edge attention: gamma = exp(-||h_j - h_i||^2 / delta) times each message."""

    def __init__(self, *arguments: Any, delta: float, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.delta = delta

    def message(self, x_j: Tensor, edge_attr: Tensor) -> Tensor:  # [E, C], [E, C] -> [E, O]
        gamma = torch.exp(-edge_attr.square().sum(dim=-1, keepdim=True) / self.delta)
        return gamma * super().message(x_j, edge_attr)


class ECC(nn.Module):
    """Edge-conditioned convolution: Theta of each edge by a network, on h_j - h_i."""

    def __init__(self, C: int, O: int, settings: Mapping[str, Any]) -> None:
        super().__init__()
        hidden = settings["hidden"] or C
        network = nn.Sequential(
            nn.Linear(C, hidden), nn.LeakyReLU(settings["slope"]), nn.Linear(hidden, C * O)
        )
        conv = partial(Attention, delta=settings["delta"]) if settings["attention"] else NNConv
        self.conv = conv(C, O, network, aggr="mean", root_weight=False, bias=False)

    def forward(self, h: Tensor, edges: Tensor) -> Tensor:  # [B * N, C], [2, E] -> [B * N, O]
        return self.conv(h, edges, h[edges[0]] - h[edges[1]])


def edge_conv(C: int, O: int, settings: Mapping[str, Any]) -> nn.Module:
    """PyG's EdgeConv, whose network is given [h_i, h_j - h_i]."""
    network = nn.Sequential(nn.Linear(2 * C, O, bias=False), nn.ReLU())
    return EdgeConv(network, aggr=settings["reduction"])


OPERATORS: dict[str, Callable[..., nn.Module]] = {"edge_conv": edge_conv, "ecc": ECC}


def non_local(C: int, O: int, config: Config) -> nn.Module:
    """The config's operator: (h [B * N, C], edges [2, E]) -> [B * N, O]."""
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
        self.register_buffer("where", coordinates(side))

    def forward(self, x: Tensor) -> Tensor:  # [B, F, H, W] -> [B, O, H, W]
        B, F, H, W = x.shape
        nodes = x.permute(0, 2, 3, 1).reshape(B, H * W, F)
        edges = to_edges(knn(nodes.detach(), self.k, self.window))
        h = torch.cat([nodes, self.where.expand(B, -1, -1)], dim=-1).flatten(0, 1)
        distant = self.non_local(h, edges).view(B, H, W, -1).permute(0, 3, 1, 2)
        return (self.local(x) + distant) / 2 + self.bias


def knn(nodes: Tensor, k: int, window: Tensor) -> Tensor:
    """The k nearest outside the 3x3 window: [B, N, F] -> [B, N, k].

    -2 h_j h_i + ||h_j||^2 of the whole batch at once: here faster than `torch.cdist`, and than one
    image after the other.
    """
    squares = nodes.square().sum(dim=-1)[:, None]
    distances = torch.baddbmm(squares, nodes, nodes.mT, alpha=-2)  # [B, N, N]
    return distances.masked_fill_(window, torch.inf).topk(k, largest=False).indices


def to_edges(neighbours: Tensor) -> Tensor:
    """PyG's edge list, sources j over targets i, of a batch as one graph: [B, N, k] -> [2, E]."""
    B, N, k = neighbours.shape
    first = N * torch.arange(B, device=neighbours.device)[:, None, None]
    targets = torch.arange(B * N, device=neighbours.device).repeat_interleave(k)
    return torch.stack([(neighbours + first).flatten(), targets])


def in_window(side: int) -> Tensor:
    """Whether j lies in the 3x3 window around i: [N, N] booleans."""
    node = torch.arange(side * side)
    row, column = node // side, node % side
    rows, columns = (row[:, None] - row).abs(), (column[:, None] - column).abs()
    return (rows <= 1) & (columns <= 1)


def coordinates(side: int) -> Tensor:
    """Row and column of each pixel, scaled to [-1, 1]: [N, 2]."""
    line = torch.linspace(-1, 1, side)
    return torch.stack(torch.meshgrid(line, line, indexing="ij"), dim=-1).flatten(0, 1)


def conv3x3(F: int, O: int) -> nn.Module:
    return nn.Conv2d(F, O, 3, padding=1, bias=False)


class Generator(nn.Module):
    """z [B, latent] -> images [B, channels, side, side]; layers are named as in ours."""

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


def make_players(config: Config, variant: str) -> tuple[nn.Module, nn.Module]:
    """Generator and critic as one of VARIANTS.

    The critic is never compiled: torch.compile has no double backward, which the penalty needs.
    """
    generator, critic = Generator(config), Critic(config)
    if variant != "eager":
        generator = generator.to(memory_format=torch.channels_last)
        critic = critic.to(memory_format=torch.channels_last)
    if variant == "compiled":
        generator.compile()
    return generator, critic


def critic_loss(
    critic: nn.Module, real: Tensor, fake: Tensor, mix: Tensor, penalty_weight: float
) -> tuple[Tensor, Metrics]:
    """The WGAN-GP loss of real and fake images [B, F, H, W], mixed by [B]; and its parts."""
    on_real, on_fake = critic(torch.cat([real, fake])).chunk(2)
    wasserstein = on_real.mean() - on_fake.mean()
    mix = mix[:, None, None, None]
    x = (mix * real + (1 - mix) * fake).requires_grad_()
    (gradients,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    penalty = (gradients.flatten(1).norm(dim=1) - 1).square().mean()
    loss = -wasserstein + penalty_weight * penalty
    return loss, {"critic_loss": loss, "wasserstein": wasserstein, "gradient_penalty": penalty}


def generator_loss(critic: nn.Module, fake: Tensor) -> Tensor:
    return -critic(fake).mean()


def make_iteration(
    config: Config, generator: nn.Module, critic: nn.Module, images: Tensor
) -> Callable[[], float]:
    """iteration() does n_critic critic updates and a generator update and returns the last's loss.

    Args:
        images: the training images, uint8 [n, F, H, W].
    """
    B, penalty_weight = config.batch_size, config.loss.section["penalty_weight"]
    minimise_critic = make_update(config, critic)
    minimise_generator = make_update(config, generator)

    def fakes() -> Tensor:
        return generator(torch.randn(B, config.generator.latent_size))

    def update_critic() -> None:
        real = images[torch.randint(len(images), (B,))] / 127.5 - 1
        with torch.no_grad():
            fake = fakes()
        loss, _ = critic_loss(critic, real, fake, torch.rand(B), penalty_weight)
        minimise_critic(loss)

    def iteration() -> float:
        for _ in range(config.n_critic):
            update_critic()
        critic.requires_grad_(False)
        loss = generator_loss(critic, fakes())
        minimise_generator(loss)
        critic.requires_grad_(True)
        return loss.item()

    return iteration


def make_update(config: Config, player: nn.Module) -> Callable[[Tensor], None]:
    """update(loss): one step of RMSprop down the loss's gradient."""
    settings: Optimizer = config.optimizer
    optimizer = torch.optim.RMSprop(
        player.parameters(), config.learning_rate, alpha=settings.b2, eps=settings.eps
    )

    def update(loss: Tensor) -> None:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return update


def make_sampler(generator: nn.Module, latent_size: int) -> Callable[[int], Tensor]:
    """sampler(n) -> uint8 [n, F, H, W], by running averages."""
    generator.eval()

    @torch.inference_mode()
    def sampler(n: int) -> Tensor:
        images = generator(torch.randn(n, latent_size))
        return ((images + 1) * 127.5).round().to(torch.uint8)

    return sampler
