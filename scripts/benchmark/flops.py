"""How many floating-point operations our side needs, by formula.

Counted are the multiplications and additions (2 a pair) of matrix products and convolutions, as the
algorithm needs them in the form our code computes it in: up-sampling convolutions as four 2x2
convolutions, the critic's by 7 taps of 10, EdgeConv as two products a node, ECC by S, not Theta.
Zeros of padding count; everything element-wise, normalisations, the selection of neighbours and
the optimiser do not.

A backward pass needs each product of the forward pass twice, once for the gradient of its input
and once for that of its weights, unless one of them is not asked for; kNN has none, and ECC makes S
again. The gradient penalty needs four: forward, gradient of the input, and the derivative of that
one's products by both their factors (leaky ReLU has no second derivative).

B images, N nodes, k neighbours, F features in, C = F + 2, O features out, Fh hidden units of ECC.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from gcgan_jax.config.schema import Config
from scripts.benchmark.cases import COORDINATES, FEATURES, SIDE, Case, blocks, config_of


@dataclass(frozen=True)
class Passes:
    """Operations of a forward and of a backward pass."""

    forward: int
    backward: int

    @property
    def both(self) -> int:
        return self.forward + self.backward


def count(case: Case) -> int:
    """Operations of one repetition of a case.

    Raises:
        ValueError: there is no formula for its operator.
    """
    if case.what == "matmul":
        return product(case.batch, case.batch, case.batch)
    config = config_of(case)
    if case.what == "iteration":
        return iteration(config)
    if case.what == "sampling":
        return case.batch * generator(config).forward
    if case.of == "knn":
        return case.batch * knn(SIDE * SIDE, FEATURES)
    passes = non_local(config, SIDE * SIDE, FEATURES, FEATURES)
    return case.batch * (passes.both if case.what == "gradient" else passes.forward)


def iteration(config: Config) -> int:
    """n_critic critic updates and one generator update."""
    fake = generator(config)
    layers = critic_layers(config)
    forward = sum(layers)
    losses = 2 * (3 * forward - layers[0])  # real and fake; images need no gradient
    critic_update = fake.forward + losses + 4 * forward
    generator_update = fake.both + 2 * forward  # the critic's weights need no gradient
    return config.batch_size * (config.n_critic * critic_update + generator_update)


def generator(config: Config) -> Passes:
    """Of one image."""
    g = config.generator
    dense = product(1, g.latent_size, 16 * g.width)
    forward, backward = dense, dense  # latents need no gradient
    for block in blocks(config):
        O, N = block.features, block.side**2
        convs = product(N, 4 * 2 * O, O) + product(N, 9 * O, O)
        forward, backward = forward + convs, backward + 2 * convs
        if block.graph:
            branch = non_local(config, N, O, O)
            forward, backward = forward + knn(N, O) + branch.forward, backward + branch.backward
    to_image = product(config.data.image_size**2, O, config.data.channels)
    return Passes(forward + to_image, backward + 2 * to_image)


def critic_layers(config: Config) -> list[int]:
    """Of the forward pass of one image, layer by layer."""
    widths, side, found = (config.data.channels, *config.critic.widths), config.data.image_size, []
    for F, O in pairwise(widths):
        side //= 2
        found.append(product(side * side // 2, 35 * F, O))
    return [*found, product(1, side * side * widths[-1], 1)]


def knn(N: int, F: int) -> int:
    """All distances of one image."""
    return product(N, F, N)


def edge_conv(config: Config, N: int, F: int, O: int) -> Passes:
    products = 2 * product(N, F + COORDINATES, O)
    return Passes(products, 2 * products)


def ecc(config: Config, N: int, F: int, O: int) -> Passes:
    layer, C = config.generator.graph_layer, F + COORDINATES
    k, Fh = layer.graph.section["k"], layer.operator.section["hidden"] or C
    S = N * product(Fh + 1, k, C)
    products = product(N, C, Fh) + product(N, (Fh + 1) * C, O)
    return Passes(products + S, 2 * products + 3 * S)


OPERATORS: dict[str, Callable[[Config, int, int, int], Passes]] = {
    "edge_conv": edge_conv,
    "ecc": ecc,
}


def non_local(config: Config, N: int, F: int, O: int) -> Passes:
    """Of the non-local operator on one image.

    Raises:
        ValueError: there is no formula for it.
    """
    name = config.generator.graph_layer.operator.name
    if name not in OPERATORS:
        known = ", ".join(OPERATORS)
        raise ValueError(f"no operations are counted of the operator {name!r}; of {known} they are")
    return OPERATORS[name](config, N, F, O)


def product(rows: int, inner: int, columns: int) -> int:
    """Of [rows, inner] times [inner, columns]."""
    return 2 * rows * inner * columns
