"""A user-defined operator: registered, configured, trained and sampled from."""

import sys
from collections.abc import Iterator
from pathlib import Path

import jax
import pytest

from configs import default
from gcgan_jax.config.schema import from_mapping
from gcgan_jax.errors import UserError
from gcgan_jax.experiment import make_experiment
from gcgan_jax.operators import OPERATORS
from gcgan_jax.training.loop import train
from tests.conftest import Tiny
from tests.program import ExperimentProgram, ended

SOURCE = '''
from typing import Annotated

import flax.linen as nn
import jax
from jax import Array

from gcgan_jax.ranges import Interval
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.operators import OPERATORS


class FirstNeighbour(nn.Module):
    """out_i = scale W h_j of the nearest j."""

    features: int
    scale: Annotated[float, Interval(0, 10)] = 1.0

    @nn.compact
    def __call__(self, h: Array, neighbours: Neighbours) -> Array:
        w = self.param("w", nn.initializers.glorot_normal(), (h.shape[-1], self.features), float)
        messages = jax.vmap(lambda h, j: h[j])(h, neighbours.indices[..., 0])
        return self.scale * (messages @ w)


OPERATORS["first_neighbour"] = FirstNeighbour
'''


@pytest.fixture
def extension(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Name of an importable module with that source."""
    (tmp_path / "my_operators.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    yield "my_operators"
    sys.modules.pop("my_operators", None)
    OPERATORS.pop("first_neighbour", None)


def test_user_defined_operator(
    extension: str, tiny: Tiny, program: ExperimentProgram, tmp_path: Path
) -> None:
    settings = tiny(num_iterations=2).settings
    settings["extensions"] = (extension,)
    operator = {"name": "first_neighbour", "first_neighbour": {"scale": 2}}
    settings["generator"]["graph_layer"]["operator"] = operator
    experiment = make_experiment(from_mapping(settings))
    state = train(experiment, tmp_path / "run", devices=jax.devices()[:2])
    weights = state.generator.params["block2_graph"]["non_local"]
    assert jax.tree.map(lambda leaf: leaf.shape, weights) == {"w": (6, 4)}

    code, out, err = ended(
        program.run(experiment, "--mode=sample", "--config.show.images=4", PYTHONPATH=str(tmp_path))
    )
    assert (code, err) == (0, "")
    assert "4 images of iteration 2" in out

    for name, message in (
        ("scale", "first_neighbour.scale = 11.0: must be at least 0 and at most 10"),
        ("scael", "first_neighbour.scael: no such field; did you mean 'scale'?"),
    ):
        operator["first_neighbour"] = {name: 11.0}
        with pytest.raises(UserError, match=message):
            make_experiment(from_mapping(settings))
    operator["name"] = "second_neighbour"
    with pytest.raises(UserError, match=r"choose 'none', 'edge_conv', .*'first_neighbour'"):
        make_experiment(from_mapping(settings))


def test_operator_is_unknown_without_its_module() -> None:
    values = default.get_config().to_dict()
    values["generator"]["graph_layer"]["operator"]["name"] = "first_neighbour"
    with pytest.raises(
        UserError, match=r"'first_neighbour': choose 'none', 'edge_conv', .* or 'low_rank_ecc'$"
    ):
        make_experiment(from_mapping(values))
