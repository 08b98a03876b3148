"""The benchmark's FLOPs, against hand arithmetic on a tiny GAN."""

import pytest

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


def test_missing_formula_is_a_one_line_error() -> None:
    with pytest.raises(ValueError, match=r"^no FLOPs .* 'gat' \(known: edge_conv, ecc\): add .*$"):
        flops.iteration(make_config(operator="gat"))


def test_iteration(tiny: Tiny) -> None:
    config = tiny().config
    layers = flops.critic_layers(config)
    assert layers == [2 * 32 * 105 * 4, 2 * 8 * 140 * 6, 2 * 2 * 210 * 8, 2 * 32]  # 35 taps for 2
    # Two updates of the critic, one of the generator, 4 images each.
    assert flops.iteration(config) == 4 * (2 * 704_512 + 953_344)
