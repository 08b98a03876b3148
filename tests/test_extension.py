"""A user-defined operator, that of docs/operator.md: tested, configured, trained, sampled from."""

import sys
from collections.abc import Iterator
from pathlib import Path
from runpy import run_path

import jax
import pytest

from configs import default
from gcgan_jax.config.schema import from_mapping
from gcgan_jax.errors import UserError
from gcgan_jax.experiment import make_experiment
from gcgan_jax.operators import OPERATORS
from gcgan_jax.training.loop import train
from tests.helpers import OPERATOR_PAGE, write_files_of
from tests.program import ExperimentProgram, ended

# Fields of the page's config that make a test quick.
QUICK = {
    "num_iterations": 2,
    "iterations_per_call": 1,
    "n_critic": 1,
    "log_every": 2,
    "sample_every": 2,
    "checkpoint_every": 2,
    "batch_size": 4,
    "generator.width": 16,
    "generator.graph_layer.graph.knn.k": 3,
    "critic.widths": (4, 6, 8),
    "data.image_size": 16,
    "data.twins.num_train": 16,
    "data.twins.num_test": 8,
    "diagnostic_images": 4,
    "sample_images": 4,
}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Path]]:
    """The page's files by name, of which `my_operators` can be imported."""
    monkeypatch.syspath_prepend(tmp_path)
    yield write_files_of(OPERATOR_PAGE, tmp_path)
    sys.modules.pop("my_operators", None)
    OPERATORS.pop("gin", None)


def test_operator_of_the_page(
    files: dict[str, Path], program: ExperimentProgram, tmp_path: Path
) -> None:
    assert files.keys() == {"my_operators.py", "test_my_operators.py", "gin.py"}
    assert files["my_operators.py"].read_text().count("\n") <= 40
    run_path(str(files["test_my_operators.py"]))["test_gin"]()

    config = run_path(str(files["gin.py"]))["get_config"]()
    config.update_from_flattened_dict(QUICK)
    experiment = make_experiment(from_mapping(config.to_dict()))
    state = train(experiment, tmp_path / "run", devices=jax.devices()[:2])
    weights = state.generator.params["block2_graph"]["non_local"]
    assert jax.tree.map(lambda leaf: leaf.shape, weights) == {"w_1": (6, 32), "w_2": (32, 4)}

    code, out, err = ended(
        program.run(experiment, "--mode=sample", "--config.show.images=4", PYTHONPATH=str(tmp_path))
    )
    assert (code, err) == (0, "")
    assert "4 images of iteration 2" in out


def test_fields_of_an_operator_are_checked(files: dict[str, Path]) -> None:
    config = run_path(str(files["gin.py"]))["get_config"]()
    operator = config.generator.graph_layer.operator
    for name, message in (
        ("epsilon", "operator.gin.epsilon = 11.0: must be at least -1 and at most 10"),
        ("epsilom", "operator.gin.epsilom: no such field; did you mean 'epsilon'?"),
    ):
        operator.gin = {name: 11.0}
        with pytest.raises(UserError, match=message):
            make_experiment(from_mapping(config.to_dict()))
    operator.name = "gim"
    with pytest.raises(UserError, match=r"choose 'none', 'edge_conv', .*'gin'"):
        make_experiment(from_mapping(config.to_dict()))


def test_operator_is_unknown_without_its_module() -> None:
    values = default.get_config().to_dict()
    values["generator"]["graph_layer"]["operator"]["name"] = "gin"
    with pytest.raises(UserError, match="'gin': choose 'none', 'edge_conv', 'ecc', "):
        make_experiment(from_mapping(values))
