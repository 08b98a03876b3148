"""The Python examples of docs/extend.md, in order."""

import re
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from gcgan_jax import ECC, KNN, Aggregate, Gate, GraphConv, LowRankECC, Scale, SoftKNN
from tests.program import ROOT


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """All names that the page's examples define."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/extend.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {"__name__": "page"}
    for block in blocks:
        exec(compile(block, "docs/extend.md", "exec"), names)
    return names


def test_layers_and_generators(names: dict[str, Any]) -> None:
    assert names["neighbours"].shape == (4, 256, 8)
    assert names["points"].shape == (4, 500, 3) and names["y"].shape == (4, 500, 64)
    assert names["variables"].keys() == {"params"}
    assert names["images"].shape == (16, 32, 32, 3)


def test_nnx_model_is_trained(names: dict[str, Any]) -> None:
    losses, model = jnp.stack(names["losses"]), names["model"]
    assert jnp.all(jnp.diff(losses) < 0)
    start = names["Classifier"](nnx.Rngs(0), train=True)
    for kind, variables in ((nnx.Param, 10), (nnx.BatchStat, 4)):
        before, after = nnx.state(start, kind), nnx.state(model, kind)
        changed = jax.tree.leaves(jax.tree.map(lambda a, b: bool(jnp.any(a != b)), before, after))
        assert changed == [True] * variables
    assert names["logits"].shape == (8, 2)
    assert jnp.abs(names["logits"] - model(names["features"])).max() > 1e-3  # other statistics


@pytest.mark.parametrize(
    "layer",
    [
        GraphConv(6, graph=partial(SoftKNN, k=2), operator=Aggregate, merge=Gate),
        GraphConv(
            6, graph=partial(KNN, k=2), operator=partial(ECC, delta_rule="learned"), merge=Scale
        ),
        GraphConv(
            6,
            graph=partial(KNN, k=2),
            operator=partial(LowRankECC, rank=2),
            local_branch="identity",
            coordinates=False,
        ),
    ],
    ids=["soft_knn", "ecc", "low_rank_ecc"],
)
def test_layers_are_the_same_inside_nnx(layer: GraphConv) -> None:
    size = (7,) if layer.local_branch == "identity" else (4, 4)
    x = jax.random.normal(jax.random.key(0), (2, *size, 6))
    model = nnx.bridge.ToNNX(layer, rngs=nnx.Rngs(0)).lazy_init(x)
    params = nnx.to_pure_dict(nnx.state(model, nnx.Param))
    shapes = jax.eval_shape(layer.init, jax.random.key(0), x)["params"]
    assert jax.tree.map(jnp.shape, params) == jax.tree.map(lambda leaf: leaf.shape, shapes)
    np.testing.assert_allclose(model(x), layer.apply({"params": params}, x), rtol=1e-6)
