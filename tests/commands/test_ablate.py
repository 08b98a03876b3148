"""Ablation of a checkpoint: graphs, branches, and the layers' diagnostics."""

import json
from contextlib import closing
from pathlib import Path

import jax
import numpy as np
import pytest

from gcgan_jax.commands.ablate import CONTROLS, TRAINED, Rule, ablate, make_rules
from gcgan_jax.commands.layer_report import edge_lengths, jaccard
from gcgan_jax.errors import UserError
from gcgan_jax.experiment import Experiment
from gcgan_jax.graphs.controls import self_loops
from gcgan_jax.storage.checkpoints import Checkpoints
from tests.conftest import Tiny, make
from tests.helpers import save_untrained

CHANGES = {"eval__network": "structure", "eval__batch_size": 16, "show__ablation_images": 20}


def names(experiment: Experiment, side: int) -> list[str]:
    layer = experiment.config.generator.graph_layer
    return [rule.name for rule in make_rules(layer, side)]


def test_ablate_writes_all_rules_for_both_statistics(
    tiny: Tiny, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    experiment = tiny(operator="ecc", **CHANGES)
    state = save_untrained(experiment, tmp_path)
    with closing(Checkpoints(tmp_path / "checkpoints", None, experiment.run)) as checkpoints:
        checkpoints.save(state._replace(iteration=np.int32(3)), 3)
    ablate(experiment, tmp_path, jax.devices()[:1], out=tmp_path / "out")
    printed = capsys.readouterr().out
    result = json.loads((tmp_path / "out" / "ablation-0000003.json").read_text())
    rules = [TRAINED, "self", "grid", "ring", "random", "shuffled", "far"]
    rules += ["without non-local", "without local"]
    for batch_norm in ("running", "batch"):
        rows = [row for row in result["rules"] if row["batch_norm"] == batch_norm]
        assert [row["rule"] for row in rows] == rules
        assert set(rows[0]["scores"]["structure_error"].values()) - {0.0}
        for score in rows[0]["scores"].values():
            assert (score["difference"], score["error"]) == (0, 0)
        values = [row["scores"]["structure_error"]["value"] for row in rows]
        assert len(set(values)) >= 7
    assert printed.count("without non-local") == 2 and "± 0." in printed
    (layer,) = result["layers"].values()
    assert layer["overlap"] == 1 and 0 < layer["gradient_share"] < 1
    assert sum(layer["edges_by_distance"]) == pytest.approx(1)
    assert layer["gamma_quantiles"] == sorted(layer["gamma_quantiles"])
    assert {"news", "similarity", "distance_ratio", "hub_share"} < layer.keys()


def test_rules_replace_the_graph_and_the_branches(tiny: Tiny) -> None:
    experiment = tiny(operator="edge_conv")
    state, gan = experiment.init_state(), experiment.gan
    latents = experiment.sampler(jax.devices()[:1]).latents(jax.random.key(0), range(4))

    def images(rule: Rule) -> np.ndarray:
        return rule.apply(gan).generator.apply(state.generator.variables, *latents, train=False)

    rules = {rule.name: rule for rule in make_rules(experiment.config.generator.graph_layer, 16)}
    by_self = make(
        operator="edge_conv",
        generator__graph_layer__graph__name="self",
        generator__graph_layer__graph__self__k=3,
    ).gan.generator.apply(state.generator.variables, *latents, train=False)
    np.testing.assert_array_equal(images(rules["self"]), by_self)
    params = state.generator.params
    silent = jax.tree.map(np.zeros_like, params["block2_graph"]["non_local"])
    layer = params["block2_graph"] | {"non_local": silent}
    variables = state.generator.variables | {"params": params | {"block2_graph": layer}}
    expected = gan.generator.apply(variables, *latents, train=False)
    np.testing.assert_allclose(images(rules["without non-local"]), expected, atol=1e-6)


def test_rules_are_those_that_fit() -> None:
    of_knn = names(make(operator="ecc"), 16)
    assert of_knn[1:-2] == [name for name in CONTROLS if name != "knn"]
    assert "far" not in names(make(operator="ecc"), 8)
    assert "knn" in names(make(operator="ecc", generator__graph_layer__graph__name="soft_knn"), 16)
    assert names(make(operator="global"), 16) == [TRAINED, "without non-local", "without local"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"operator": "none"}, "no graph layer to ablate"),
        ({"operator": "ecc", "show__ablation_images": 25}, "= 25: must be a multiple of 10"),
    ],
)
def test_unsuitable_configs_are_rejected(changes: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        ablate(make(**CHANGES | changes), tmp_path, jax.devices()[:1])


def test_jaccard_and_edge_lengths() -> None:
    a, b = np.array([[[0, 1, 2], [3, 4, 5]]]), np.array([[[2, 1, 0], [5, 6, 7]]])
    assert jaccard(a, b) == pytest.approx((1 + 1 / 5) / 2)
    lengths = edge_lengths(np.broadcast_to(self_loops(4, 4, 2), (3, 16, 2)))
    assert lengths["edges_by_distance"] == [1, 0, 0, 0] and lengths["mean_edge_length"] == 0
    assert lengths["chance_by_distance"][:2] == [0, 0]
    pairs = [
        max(abs(a - c), abs(b - d)) for a, b, c, d in np.ndindex(4, 4, 4, 4)
    ]  # of rows a, c and columns b, d
    assert lengths["mean_length_by_chance"] == pytest.approx(np.mean([d for d in pairs if d > 1]))
