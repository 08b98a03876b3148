"""Grey images: sampled, drawn and scored; tests/gan/test_feed.py trains on some."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gcgan_jax.commands.neighbours import Edges, draw
from gcgan_jax.commands.sample import sample
from gcgan_jax.data.folder import read_folder
from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.cache import Cache
from gcgan_jax.evaluation.networks import load_network
from tests.conftest import Tiny
from tests.helpers import save_untrained
from tests.reliability.invalid_input_cases.npz import images, saved

ONE = jax.devices()[:1]


def test_images_of_a_grey_run(tiny: Tiny, tmp_path: Path) -> None:
    file = saved(train=images(16, 16, channels=1), test=images(8, 16, channels=1))(tmp_path)
    changes: dict[str, Any] = {"data__name": "npz", "data__npz__file": str(file)}
    experiment = tiny(
        **changes, data__channels=1, eval__batch_size=4, show__format="png", show__images=4
    )  # fmt: skip
    save_untrained(experiment, tmp_path / "run")
    folder = sample(experiment, tmp_path / "run", ONE)
    assert read_folder(folder, 4, channels=1).shape == (4, 16, 16, 1)
    with pytest.raises(UserError, match="has 8-bit grey pixels: convert it to 8-bit RGB"):
        read_folder(folder, 4)
    with pytest.raises(UserError, match=r"uint8 of shape \(16, 16, 16, 1\), expected .* 16, 16, 3"):
        tiny(**changes).load_images()


def test_networks_see_greys_in_three_channels(tmp_path: Path) -> None:
    network = load_network("classifier", None, Cache(str(tmp_path)))
    grey = images(2, channels=1)
    actual, expected = (
        network.apply(network.variables, jnp.asarray(x)) for x in (grey, grey.repeat(3, axis=-1))
    )
    jax.tree.map(np.testing.assert_array_equal, actual, expected)


def test_figures_show_greys() -> None:
    grey = images(1, 16, channels=1)
    figure = draw(grey, Edges(np.zeros((1, 16, 2), int), np.ones((1, 16, 2))), ((0, 0),))
    shown = figure.axes[0].images[0]
    assert shown.cmap.name == "gray" and shown.get_clim() == (0, 255)


def test_procedural_images_are_not_grey(tiny: Tiny) -> None:
    message = r"config\.data\.channels = 1: twins has RGB images: choose 3, or for config\.data\.na"
    with pytest.raises(UserError, match=message):
        tiny(data__channels=1)
