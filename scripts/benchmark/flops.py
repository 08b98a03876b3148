"""FLOPs of gcgan_jax, by formula.

Counts the multiplications and additions (2 per pair) of matmuls and convolutions, as the code
computes them: upsampling convolutions as four 2x2 convolutions, the critic's with 7 taps of 10,
EdgeConv as two matmuls over the nodes, ECC through S instead of Theta, lightweight ECC with its
factors applied to nodes. Zero padding counts. Element-wise operations, sums over neighbours,
normalisations, merges, the selection of neighbours and the optimiser do not.

A backward pass needs each matmul of the forward pass twice, for the gradients of its input and of
its weights, unless one of them is not required: graphs have a gradient only where they are learned.
Both ECCs recompute what they have per edge, and self-attention recomputes its scores. The gradient
penalty needs four: forward, input gradient, and the derivative of the latter's matmuls w.r.t. both
factors (leaky ReLU has no second derivative).

B images, N nodes, k neighbours, F features in, C = F + 2, O features out, Fh hidden units of ECC.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from gcgan_jax.config.schema import Config
from scripts.benchmark.cases import COORDINATES, Case, blocks, config_of, measured_block


@dataclass(frozen=True)
class Passes:
    """FLOPs of a forward and of a backward pass."""

    forward: int
    backward: int

    @property
    def both(self) -> int:
        return self.forward + self.backward

    def __add__(self, other: "Passes") -> "Passes":
        return Passes(self.forward + other.forward, self.backward + other.backward)


def count(case: Case) -> int:
    """Return the FLOPs of one repetition of a case.

    Raises:
        ValueError: there is no formula for its operator.
    """
    if case.task == "matmul":
        return matmul(case.batch, case.batch, case.batch)
    config = config_of(case)
    if case.task == "iteration":
        return iteration(config)
    if case.task == "sampling":
        return case.batch * generator(config).forward
    block = measured_block(config)
    N, F = block.side**2, block.features
    if case.subject == "knn":
        return case.batch * graph(config, N, F).forward
    passes = non_local(config, N, F, F)
    return case.batch * (passes.both if case.task == "gradient" else passes.forward)


def iteration(config: Config) -> int:
    """Return the FLOPs of n_critic critic updates and one generator update."""
    fake = generator(config)
    layers = critic_layers(config)
    forward = sum(layers)
    losses = 2 * (3 * forward - layers[0])  # real and fake; images need no gradient
    critic_update = fake.forward + losses + 4 * forward
    generator_update = fake.both + 2 * forward  # the critic's weights need no gradient
    return config.batch_size * (config.n_critic * critic_update + generator_update)


def generator(config: Config) -> Passes:
    """Return the generator's FLOPs per image."""
    g = config.generator
    dense = matmul(1, g.latent_size, 16 * g.width)
    forward, backward = dense, dense  # latents need no gradient
    for block in blocks(config):
        O, N = block.features, block.side**2
        convs = matmul(N, 4 * 2 * O, O) + matmul(N, 9 * O, O)
        forward, backward = forward + convs, backward + 2 * convs
        if block.graph:
            branch = graph(config, N, O) + non_local(config, N, O, O)
            forward, backward = forward + branch.forward, backward + branch.backward
    to_image = matmul(config.data.image_size**2, O, config.data.channels)
    return Passes(forward + to_image, backward + 2 * to_image)


def critic_layers(config: Config) -> list[int]:
    """Return each critic layer's FLOPs in the forward pass of one image."""
    widths, side, flops = (config.data.channels, *config.critic.widths), config.data.image_size, []
    for F, O in pairwise(widths):
        side //= 2
        flops.append(matmul(side * side // 2, 35 * F, O))
    return [*flops, matmul(1, side * side * widths[-1], 1)]


def knn(config: Config, N: int, F: int) -> Passes:
    """All distances in one image, also where other nodes than the nearest are kept."""
    positions = COORDINATES if config.generator.graph_layer.graph.section.get("position") else 0
    return Passes(matmul(N, F + positions, N), 0)


def soft_knn(config: Config, N: int, F: int) -> Passes:
    """Two projections and all distances between them; the gradient has those of the k edges."""
    section = config.generator.graph_layer.graph.section
    projections = 2 * matmul(N, F, section["features"])
    backward = 0 if section["frozen"] else 2 * projections
    return Passes(projections + matmul(N, section["features"], N), backward)


def no_distances(config: Config, N: int, F: int) -> Passes:
    return Passes(0, 0)


GRAPHS: dict[str, Callable[[Config, int, int], Passes]] = {
    **dict.fromkeys(("knn", "far", "shuffled"), knn),
    "soft_knn": soft_knn,
    **dict.fromkeys(("self", "grid", "ring", "random"), no_distances),
}


def edge_conv(config: Config, N: int, F: int, O: int) -> Passes:
    return by_weights(N, F + COORDINATES, 2 * O)


def ecc(config: Config, N: int, F: int, O: int) -> Passes:
    layer, C = config.generator.graph_layer, F + COORDINATES
    k, Fh = layer.graph.section["k"], layer.operator.section["hidden"] or C
    S = N * matmul(Fh + 1, k, C)
    matmuls = matmul(N, C, Fh) + matmul(N, (Fh + 1) * C, O)
    return Passes(matmuls + S, 2 * matmuls + 3 * S)


def low_rank_ecc(config: Config, N: int, F: int, O: int) -> Passes:
    """The factors times x_j and the sums, once a node; kappa, theta^L . x_j and the sum per edge.

    A circulant factor saves parameters, but no FLOPs.
    """
    layer, C = config.generator.graph_layer, F + COORDINATES
    k, r, Fh = layer.graph.section["k"], layer.operator.section["rank"], F
    edges = 2 * matmul(N * k, Fh, r) + N * matmul(r, k, Fh)
    nodes = matmul(N, C, Fh) + matmul(N, F, r * Fh) + matmul(N, r * Fh, O)
    return Passes(nodes + edges, 2 * nodes + 3 * edges)


def once_per_node(config: Config, N: int, F: int, O: int) -> Passes:
    return by_weights(N, F + COORDINATES, O)


def self_attention(config: Config, N: int, F: int, O: int) -> Passes:
    section = config.generator.graph_layer.operator.section
    C, inner = F + COORDINATES, section["inner"] or max(8, F // 8)
    scores = matmul(N, inner, N)
    others = 3 * matmul(N, C, inner) + matmul(N, N, inner) + matmul(N, inner, O)
    return Passes(others + scores, 2 * others + 3 * scores)


def global_context(config: Config, N: int, F: int, O: int) -> Passes:
    return by_weights(1, F + COORDINATES, O)


def max_relative(config: Config, N: int, F: int, O: int) -> Passes:
    return by_weights(N, 2 * (F + COORDINATES), O)


def chebyshev(config: Config, N: int, F: int, O: int) -> Passes:
    """The matrix of each term; the Laplacian is applied by sums over neighbours."""
    terms = config.generator.graph_layer.operator.section["order"] + 1
    return by_weights(N, F + COORDINATES, terms * O)


OPERATORS: dict[str, Callable[[Config, int, int, int], Passes]] = {
    "edge_conv": edge_conv,
    "ecc": ecc,
    "low_rank_ecc": low_rank_ecc,
    **dict.fromkeys(("aggregate", "gcn"), once_per_node),
    "max_relative": max_relative,
    "chebyshev": chebyshev,
    "self_attention": self_attention,
    "global": global_context,
}
WITHOUT_A_GRAPH = ("self_attention", "global")  # their graph is not built


def graph(config: Config, N: int, F: int) -> Passes:
    """Return the graph's FLOPs per image; 0 if the operator uses none.

    Raises:
        ValueError: there is no formula for it.
    """
    layer = config.generator.graph_layer
    if layer.operator.name in WITHOUT_A_GRAPH:
        return Passes(0, 0)
    return _formula(GRAPHS, "graph", layer.graph.name)(config, N, F)


def non_local(config: Config, N: int, F: int, O: int) -> Passes:
    """Return the non-local operator's FLOPs per image.

    Raises:
        ValueError: there is no formula for it.
    """
    name = config.generator.graph_layer.operator.name
    return _formula(OPERATORS, "operator", name)(config, N, F, O)


def _formula(
    table: dict[str, Callable[..., Passes]], part: str, name: str
) -> Callable[..., Passes]:
    if name not in table:
        raise ValueError(
            f"no FLOPs formula for the {part} {name!r} (known: {', '.join(table)}): add one to "
            f"{part.upper()}S"
        )
    return table[name]


def matmul(rows: int, inner: int, columns: int) -> int:
    """Return the FLOPs of [rows, inner] times [inner, columns]."""
    return 2 * rows * inner * columns


def by_weights(rows: int, inner: int, columns: int) -> Passes:
    """Return the FLOPs of a product with weights, and of the gradients of both its factors."""
    forward = matmul(rows, inner, columns)
    return Passes(forward, 2 * forward)
