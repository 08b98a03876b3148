"""The benchmark's FLOPs, against hand arithmetic on a tiny GAN."""

from dataclasses import replace
from typing import Any

import pytest

from gcgan_jax.config.choices import Choice
from gcgan_jax.config.schema import Config
from scripts.benchmark import flops
from scripts.benchmark.flops import Passes
from tests.conftest import Tiny, make_config


def test_generator_without_a_graph(tiny: Tiny) -> None:
    dense, to_image = 2 * 5 * 256, 2 * 256 * 4 * 3
    block1 = 2 * 64 * (4 * 16 + 9 * 8) * 8  # four taps of 16 features and nine of 8, at 8x8
    block2 = 2 * 256 * (4 * 8 + 9 * 4) * 4
    actual = flops.generator(tiny().config)
    assert actual.forward == dense + block1 + block2 + to_image
    assert actual.backward == dense + 2 * (block1 + block2 + to_image)


@pytest.mark.parametrize(
    "non_local, forward, backward",
    [
        ("edge_conv", 2 * 2 * 256 * 6 * 4, 2 * 2 * 2 * 256 * 6 * 4),
        (
            "ecc",  # W1, the last matmul, S
            2 * 256 * 6 * 6 + 2 * 256 * 7 * 6 * 4 + 2 * 256 * 3 * 7 * 6,
            2 * (2 * 256 * 6 * 6 + 2 * 256 * 7 * 6 * 4) + 3 * 2 * 256 * 3 * 7 * 6,
        ),
    ],
)
def test_graph_layer(tiny: Tiny, non_local: str, forward: int, backward: int) -> None:
    config = tiny(operator=non_local).config
    assert flops.non_local(config, 256, 4, 4) == Passes(forward, backward)
    without, actual = flops.generator(tiny().config), flops.generator(config)
    assert actual.forward - without.forward == forward + 2 * 256 * 256 * 4
    assert actual.backward - without.backward == backward


def with_layer(graph: str, operator: str, **fields: Any) -> Config:
    """Make a config whose graph and operator have these fields."""
    config = make_config()
    generator = config.generator
    graph_, operator_ = (Choice(name, {name: fields}) for name in (graph, operator))
    layer = replace(generator.graph_layer, graph=graph_, operator=operator_)
    return replace(config, generator=replace(generator, graph_layer=layer))


@pytest.mark.parametrize(
    ("operator", "once", "recomputed"),
    [  # N = 10, F = 4, C = 6, O = 5, k = 3
        ("aggregate", 2 * 10 * 6 * 5, 0),
        ("max_relative", 2 * 10 * 12 * 5, 0),
        ("gcn", 2 * 10 * 6 * 5, 0),
        ("chebyshev", 3 * 2 * 10 * 6 * 5, 0),
        ("global", 2 * 6 * 5, 0),
        # three projections to 8, their mean, the last projection; scores
        ("self_attention", 3 * 2 * 10 * 6 * 8 + 2 * 10 * 10 * 8 + 2 * 10 * 8 * 5, 2 * 10 * 8 * 10),
        # W1, two left and two right factors; kappa and theta^L . x_j of 30 edges, the sums of 3
        (
            "low_rank_ecc",
            2 * 10 * 6 * 4 + 2 * 10 * 4 * 8 + 2 * 10 * 8 * 5,
            2 * 2 * 30 * 4 * 2 + 10 * 2 * 2 * 3 * 4,
        ),
    ],
)
def test_operators_of_the_laboratory(operator: str, once: int, recomputed: int) -> None:
    config = with_layer("knn", operator, k=3, rank=2, inner=None, order=2)
    expected = Passes(once + recomputed, 2 * once + 3 * recomputed)
    assert flops.non_local(config, 10, 4, 5) == expected


@pytest.mark.parametrize(
    ("graph", "fields", "forward", "backward"),
    [
        ("knn", {}, 2 * 10 * 4 * 10, 0),
        ("knn", {"position": 0.5}, 2 * 10 * 6 * 10, 0),
        ("shuffled", {}, 2 * 10 * 4 * 10, 0),
        ("ring", {}, 0, 0),
        (
            "soft_knn",  # two projections to 3, distances
            {"features": 3, "frozen": False},
            2 * 2 * 10 * 4 * 3 + 2 * 10 * 3 * 10,
            2 * 2 * 2 * 10 * 4 * 3,
        ),
        ("soft_knn", {"features": 3, "frozen": True}, 2 * 2 * 10 * 4 * 3 + 2 * 10 * 3 * 10, 0),
    ],
)
def test_graphs(graph: str, fields: dict[str, Any], forward: int, backward: int) -> None:
    config = with_layer(graph, "edge_conv", **fields)
    assert flops.graph(config, 10, 4) == Passes(forward, backward)


@pytest.mark.parametrize("operator", flops.WITHOUT_A_GRAPH)
def test_operators_without_a_graph_do_not_pay_for_it(operator: str) -> None:
    assert flops.graph(with_layer("knn", operator), 10, 4) == Passes(0, 0)


def test_missing_formula_is_a_one_line_error() -> None:
    with pytest.raises(ValueError, match=r"^no FLOPs .* 'gat' \(known: edge_conv, .*\): add .*$"):
        flops.iteration(make_config(operator="gat"))


def test_iteration(tiny: Tiny) -> None:
    config = tiny().config
    layers = flops.critic_layers(config)
    assert layers == [2 * 32 * 105 * 4, 2 * 8 * 140 * 6, 2 * 2 * 210 * 8, 2 * 32]  # 35 taps for 2
    # Two updates of the critic, one of the generator, 4 images each.
    assert flops.iteration(config) == 4 * (2 * 704_512 + 953_344)
