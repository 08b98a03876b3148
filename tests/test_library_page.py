"""The Python examples of docs/extend.md, in order."""

import re
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

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
