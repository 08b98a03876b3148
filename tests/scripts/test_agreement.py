"""The benchmark's peer computes the same function as ours."""

import jax
import pytest

pytest.importorskip("torch")
pytest.importorskip("torch_geometric")

from scripts.benchmark import agreement as same_function
from tests.conftest import Tiny


@pytest.mark.parametrize("non_local", ["none", "edge_conv", "ecc"])
def test_same_images_losses_and_gradients(tiny: Tiny, non_local: str) -> None:
    # With few features many pixels are all 0, and topk takes equally near ones in any order.
    experiment = tiny(operator=non_local, generator__width=64)
    with jax.enable_x64(True):
        found = same_function.differences(experiment, ["eager", "channels_last"], batch=4)
    assert max(found.values()) < 1e-7  # the peer's coordinates are rounded to float32
