"""The benchmark's peer computes the same function as ours."""

from collections.abc import Callable

import jax
import pytest

pytest.importorskip("torch")
pytest.importorskip("torch_geometric")

from gcgan_jax.config import Config
from scripts import same_function


@pytest.mark.parametrize("non_local", ["none", "edge_conv", "ecc"])
def test_same_images_losses_and_gradients(tiny: Callable[..., Config], non_local: str) -> None:
    # With few features many pixels are all 0, and topk takes equally near ones in any order.
    config = tiny(generator__non_local=non_local, generator__width=64)
    with jax.enable_x64(True):
        found = same_function.differences(config, ["eager", "channels_last"], batch=4)
    assert max(found.values()) < 1e-7  # the peer's coordinates are rounded to float32
