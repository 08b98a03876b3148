"""FLOPs of gcgan_jax, by formula.

Counts the multiplications and additions (2 per pair) of matmuls and convolutions, as the code
computes them: upsampling convolutions as four 2x2 convolutions, the critic's with 7 taps of 10,
EdgeConv as two matmuls over the nodes, ECC through S instead of Theta. Zero padding counts.
Element-wise operations, normalisations, the selection of neighbours and the optimiser do not.

A backward pass needs each matmul of the forward pass twice, for the gradients of its input and of
its weights, unless one of them is not required; kNN has none, and ECC recomputes S. The gradient
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
        return case.batch * knn(N, F)
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
            branch = non_local(config, N, O, O)
            forward, backward = forward + knn(N, O) + branch.forward, backward + branch.backward
    to_image = matmul(config.data.image_size**2, O, config.data.channels)
    return Passes(forward + to_image, backward + 2 * to_image)


def critic_layers(config: Config) -> list[int]:
    """Return each critic layer's FLOPs in the forward pass of one image."""
    widths, side, flops = (config.data.channels, *config.critic.widths), config.data.image_size, []
    for F, O in pairwise(widths):
        side //= 2
        flops.append(matmul(side * side // 2, 35 * F, O))
    return [*flops, matmul(1, side * side * widths[-1], 1)]


def knn(N: int, F: int) -> int:
    """Return the FLOPs of all distances in one image."""
    return matmul(N, F, N)


def edge_conv(config: Config, N: int, F: int, O: int) -> Passes:
    matmuls = 2 * matmul(N, F + COORDINATES, O)
    return Passes(matmuls, 2 * matmuls)


def ecc(config: Config, N: int, F: int, O: int) -> Passes:
    layer, C = config.generator.graph_layer, F + COORDINATES
    k, Fh = layer.graph.section["k"], layer.operator.section["hidden"] or C
    S = N * matmul(Fh + 1, k, C)
    matmuls = matmul(N, C, Fh) + matmul(N, (Fh + 1) * C, O)
    return Passes(matmuls + S, 2 * matmuls + 3 * S)


OPERATORS: dict[str, Callable[[Config, int, int, int], Passes]] = {
    "edge_conv": edge_conv,
    "ecc": ecc,
}


def non_local(config: Config, N: int, F: int, O: int) -> Passes:
    """Return the non-local operator's FLOPs per image.

    Raises:
        ValueError: there is no formula for it.
    """
    name = config.generator.graph_layer.operator.name
    if name not in OPERATORS:
        known = ", ".join(OPERATORS)
        raise ValueError(
            f"no FLOPs formula for the operator {name!r} (known: {known}): add one to OPERATORS"
        )
    return OPERATORS[name](config, N, F, O)


def matmul(rows: int, inner: int, columns: int) -> int:
    """Return the FLOPs of [rows, inner] times [inner, columns]."""
    return 2 * rows * inner * columns
