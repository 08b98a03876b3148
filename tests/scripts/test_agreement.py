"""gcgan_jax and the benchmark's PyTorch reference compute the same function."""

import jax
import pytest

pytest.importorskip("torch")
pytest.importorskip("torch_geometric")

from scripts.benchmark.agreement import differences
from tests.conftest import Tiny


@pytest.mark.parametrize("non_local", ["none", "edge_conv", "ecc"])
def test_same_images_losses_and_gradients(tiny: Tiny, non_local: str) -> None:
    # With few features many pixels are all 0, and topk orders equal distances arbitrarily.
    experiment = tiny(operator=non_local, generator__width=64)
    with jax.enable_x64(True):
        relative = differences(experiment, ["eager", "channels_last"], batch=4)
    assert max(relative.values()) < 1e-7  # PyTorch's coordinates are rounded to float32
