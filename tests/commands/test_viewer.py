"""The data of the neighbour viewer are the generator's own images and edges."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from PIL import Image

from gcgan_jax.commands.neighbours import find_edges, neighbours
from gcgan_jax.commands.trained import Trained, load_trained
from gcgan_jax.commands.viewer import SOFT, View, as_json, fitted, viewer_of_run, views
from gcgan_jax.errors import UserError
from gcgan_jax.graphs.controls import ring, self_loops
from gcgan_jax.graphs.geometry import chebyshev
from gcgan_jax.storage.workdir import write_settings
from tests.conftest import make
from tests.helpers import save_untrained, snapshot

LATENTS = (0, 2, 5)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workdir = tmp_path_factory.mktemp("run")
    save_untrained(make(operator="ecc"), workdir)
    return workdir


@pytest.fixture(scope="module")
def trained(run: Path) -> Trained:
    return load_trained(make(operator="ecc", eval__batch_size=4), run, jax.devices()[:1])


@pytest.fixture(scope="module")
def shown(trained: Trained) -> dict[str, View]:
    return {view.rule: view for view in views(trained, trained.latents(LATENTS))}


def decoded(layer: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return neighbours and weights as the viewer's script reads them."""

    def array(text: str, size: int) -> np.ndarray:
        return np.frombuffer(base64.b64decode(text), f"<u{size}").reshape(
            -1, layer["side"] ** 2, layer["k"]
        )

    neighbours, weights = array(layer["neighbours"], layer["bytes"]), layer["weights"]
    if weights is None:
        return neighbours, np.full(neighbours.shape, layer["largest"])
    return neighbours, array(weights, 2) * (layer["largest"] / 65535)


def test_rules(trained: Trained, shown: dict[str, View]) -> None:
    assert list(shown) == ["as trained", "self", "ring", "random", SOFT]
    own = find_edges(trained, trained.latents(LATENTS))
    for layer, edges in shown["as trained"].edges.items():
        np.testing.assert_array_equal(edges.neighbours, own[layer].neighbours)
        np.testing.assert_allclose(edges.gamma, own[layer].gamma, rtol=1e-5)
        side, k = edges.side, edges.neighbours.shape[-1]
        for name, rule in (("self", self_loops), ("ring", ring)):
            np.testing.assert_array_equal(
                shown[name].edges[layer].neighbours, [rule(side, side, k)] * len(LATENTS)
            )
        nodes = np.arange(side**2)[None, :, None]
        assert chebyshev(nodes, shown["random"].edges[layer].neighbours, side).min() == 2
    images = trained.images(trained.latents(LATENTS))
    np.testing.assert_array_equal(shown["as trained"].images, images)
    assert (shown["random"].images != images).any()


def test_soft_edges_are_the_nearest_with_weights_of_mean_1(shown: dict[str, View]) -> None:
    first = next(iter(shown[SOFT].edges))  # later layers see other features
    soft, hard = shown[SOFT].edges[first], shown["as trained"].edges[first]
    np.testing.assert_array_equal(np.sort(soft.neighbours), np.sort(hard.neighbours))
    weights = soft.gamma / hard.gamma
    np.testing.assert_allclose(weights.mean(axis=-1), 1, rtol=1e-4)
    assert (np.diff(weights) <= 1e-5).all() and weights.std() > 0


def test_the_script_reads_what_was_written(trained: Trained, shown: dict[str, View]) -> None:
    data = json.loads(json.dumps(as_json(trained, LATENTS, [*shown.values()])))
    assert data["latents"] == list(LATENTS) and data["graph"] == "knn"
    for rule, view in zip(data["rules"], shown.values(), strict=True):
        for layer, edges in zip(rule["layers"], view.edges.values(), strict=True):
            stored, weights = decoded(layer)
            assert (len(stored) == 1) == (rule["name"] in ("self", "ring"))
            np.testing.assert_array_equal(
                np.broadcast_to(stored, edges.gamma.shape), edges.neighbours
            )
            step = layer["largest"] / 65535
            np.testing.assert_allclose(
                np.broadcast_to(weights, edges.gamma.shape), edges.gamma, rtol=0, atol=step
            )
        for uri, image in zip(rule["images"], view.images, strict=True):
            png = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
            np.testing.assert_array_equal(Image.open(io.BytesIO(png)), image)


def test_the_page_stands_alone(run: Path, tmp_path: Path) -> None:
    before = snapshot(run)
    out = tmp_path / "new" / "viewer.html"
    neighbours(make(operator="ecc", show__latents=LATENTS), run, jax.devices()[:1], out=out)
    assert snapshot(run) == before and [*tmp_path.rglob("*.*")] == [out]
    assert "Neighbours, twins, iteration 0" in out.read_text()
    with pytest.raises(UserError, match="has no graph to draw"):
        neighbours(make(operator="none"), run, out=out)


def test_a_report_gets_as_much_as_fits(trained: Trained, shown: dict[str, View]) -> None:
    size = len(json.dumps(as_json(trained, LATENTS, [*shown.values()])))
    found = [fitted(trained, LATENTS, [*shown.values()], size - less) for less in (0, 1)]
    assert [(len(data["latents"]), len(data["rules"])) for data in found] == [(3, 5), (1, 5)]
    size = len(json.dumps(found[1]))
    alone = fitted(trained, LATENTS, [*shown.values()], size - 1)
    assert [rule["name"] for rule in alone["rules"]] == ["as trained"]
    assert "too many" in fitted(trained, LATENTS, [*shown.values()], 10)["missing"]


def test_runs_without_a_graph_or_a_checkpoint_have_a_reason(tmp_path: Path) -> None:
    save_untrained(make(operator="self_attention"), tmp_path / "attention")
    assert "uses no graph" in viewer_of_run(tmp_path / "attention", 10**7)["missing"]
    (tmp_path / "none").mkdir()
    write_settings(tmp_path / "none", make(operator="ecc").settings)
    assert "no such checkpoint" in viewer_of_run(tmp_path / "none", 10**7)["missing"]


def test_runs_with_soft_knn_have_their_own(tmp_path: Path) -> None:
    name, k = "generator__graph_layer__graph__name", "generator__graph_layer__graph__soft_knn__k"
    save_untrained(make(operator="edge_conv", **{name: "soft_knn", k: 3}), tmp_path)
    own, *others = viewer_of_run(tmp_path, 10**7)["rules"]
    assert own["name"] == "as trained" and own["layers"][0]["weights"]
    assert [rule["name"] for rule in others] == ["knn", "self", "ring", "random"]
