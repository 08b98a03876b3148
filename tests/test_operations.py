"""The benchmark's operation counts, against hand arithmetic on a tiny GAN."""

from collections.abc import Callable

import pytest

from gcgan_jax.config import Config
from scripts import operations


def test_generator_without_a_graph(tiny: Callable[..., Config]) -> None:
    dense, to_image = 2 * 5 * 256, 2 * 256 * 4 * 3
    block1 = 2 * 64 * (4 * 16 + 9 * 8) * 8  # four taps of 16 features and nine of 8, at 8x8
    block2 = 2 * 256 * (4 * 8 + 9 * 4) * 4
    forward, backward = operations.generator(tiny())
    assert forward == dense + block1 + block2 + to_image
    assert backward == dense + 2 * (block1 + block2 + to_image)


@pytest.mark.parametrize(
    "non_local, forward, backward",
    [
        ("edge_conv", 2 * 2 * 256 * 6 * 4, 2 * 2 * 2 * 256 * 6 * 4),
        (
            "ecc",  # W1, the last product, S
            2 * 256 * 6 * 6 + 2 * 256 * 7 * 6 * 4 + 2 * 256 * 3 * 7 * 6,
            2 * (2 * 256 * 6 * 6 + 2 * 256 * 7 * 6 * 4) + 3 * 2 * 256 * 3 * 7 * 6,
        ),
    ],
)
def test_graph_layer(
    tiny: Callable[..., Config], non_local: str, forward: int, backward: int
) -> None:
    config = tiny(generator__non_local=non_local)
    assert operations.non_local(config, 256, 4, 4) == (forward, backward)
    without, found = operations.generator(tiny()), operations.generator(config)
    assert found.forward - without.forward == forward + 2 * 256 * 256 * 4
    assert found.backward - without.backward == backward


def test_iteration(tiny: Callable[..., Config]) -> None:
    config = tiny()
    layers = operations.critic_layers(config)
    assert layers == [2 * 32 * 105 * 4, 2 * 8 * 140 * 6, 2 * 2 * 210 * 8, 2 * 32]  # 35 taps for 2
    # Two updates of the critic, one of the generator, 4 images each.
    assert operations.iteration(config) == 4 * (2 * 704_512 + 953_344)
