"""Statistics of a normalised critic in the training step, in float64."""

from typing import Any

import jax
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from tests.conftest import Tiny
from tests.gan.test_step import difference, run

CASES: dict[str, dict[str, Any]] = {
    "batch": {"loss__name": "hinge"},
    "spectral": {"loss__name": "wgan", "loss__wgan__clip": 0.02},
}


@pytest.mark.parametrize("norm", ["batch", pytest.param("spectral", marks=pytest.mark.slow)])
def test_two_devices_match_one(tiny: Tiny, norm: str) -> None:
    experiment = tiny(critic__norm=norm, instance_noise__sigma=0.5, **CASES[norm])
    with jax.enable_x64(True):
        before = experiment.init_state().critic.batch_stats
        (state, metrics), (other, _) = (run(experiment, devices) for devices in (1, 2))
    critic = state.critic
    for part in ("params", "batch_stats"):
        flat = [ravel_pytree(getattr(network, part))[0] for network in (critic, other.critic)]
        assert difference(*flat) < 1e-9
    changes = jax.tree.map(lambda a, b: np.abs(a - b).max(), before, critic.batch_stats)
    layers = {f"{name}_norm" for name in ("conv1", "conv2", "conv3", "dense")}
    changed = {name for name, layer in changes.items() if min(jax.tree.leaves(layer)) > 0}
    if norm == "batch":
        assert changed == layers - {"conv1_norm", "dense_norm"}
        return
    assert changed == layers
    largest = [np.abs(leaf).max() for leaf in jax.tree.leaves(critic.params)]
    assert max(largest) == 0.02
    assert metrics["wasserstein"] == -metrics["critic_loss"]
    estimate = metrics["d_real"] - metrics["d_fake"]
    assert metrics["wasserstein"] == pytest.approx(estimate, rel=1e-9)


def test_graph_layers_of_the_critic_share_its_statistics(tiny: Tiny) -> None:
    layer = "critic__graph_layer"
    changes = {
        "loss__name": "hinge",
        f"{layer}__operator__name": "ecc",
        f"{layer}__operator__ecc__delta_rule": "adaptive",
        f"{layer}__merge__average__normalise": True,
        f"{layer}__graph__knn__k": 3,
    }
    statistics = tiny(**changes).state_shapes().critic.batch_stats
    assert {*statistics["conv1_graph"]} == {"merge", "non_local"}
