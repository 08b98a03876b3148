"""Training from the host, resumed from a run on devices that may not hold all images."""

from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from gcgan_jax.errors import UserError
from gcgan_jax.gan.state import State
from gcgan_jax.training.loop import train
from tests.conftest import Tiny
from tests.gan.test_step import difference
from tests.reliability.invalid_input_cases.npz import images, saved
from tests.runtime.test_distributed import parameters

on_two = partial(train, devices=jax.devices()[:2])
GREY = images(64, 16, channels=1)
TWO_CALLS = 2 * 2 * 3 * 2 * 256  # bytes on a device: of 2 iterations, 3 updates, 2 images a device


def test_a_set_larger_than_a_limit(tiny: Tiny, tmp_path: Path) -> None:
    def run(name: str, train: np.ndarray = GREY, **changes: Any) -> State:
        file = saved(train=train, test=GREY[:8])(tmp_path)
        data = {"data__name": "npz", "data__npz__file": str(file), "data__channels": 1}
        calls = {"iterations_per_call": 2, "n_critic": 2, "sample_every": 4, "log_every": 4}
        return on_two(tiny(**data | calls | changes), tmp_path / name)

    with pytest.raises(
        UserError, match=r"64 training images have 16384 bytes, but 6144 fit .*placement=host"
    ):
        run("none", data__device_limit=TWO_CALLS)
    from_host = {"data__placement": "host"}
    with pytest.raises(UserError, match=r"per_call = 2: the images of two calls have 6144 bytes"):
        run("none", **from_host, data__device_limit=TWO_CALLS - 1)
    assert not (tmp_path / "none").exists()

    run("resumed", num_iterations=2)
    resumed = parameters(run("resumed", **from_host, data__device_limit=TWO_CALLS))
    on_devices, of_other_images = map(parameters, (run("devices"), run("other", 255 - GREY)))
    # The programs differ, and so may the last bits; tests/gan/test_feed.py compares the images.
    assert difference(on_devices, resumed) < 1e-6
    assert difference(on_devices, of_other_images) > 1e-3
