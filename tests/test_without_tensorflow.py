"""The program where TensorFlow, TFDS and TensorBoard are not installed."""

from pathlib import Path

import pytest

from tests.conftest import Tiny
from tests.program import ExperimentProgram, ended
from tests.reliability.invalid_input_cases.npz import NAME, images, saved

TWO_ITERATIONS = {"num_iterations": 2, "n_critic": 1}
LINE = "no TensorBoard events (import of tensorflow halted; None in sys.modules): install "


@pytest.fixture
def without(program: ExperimentProgram, tmp_path: Path) -> ExperimentProgram:
    """Runs the program where importing any of them fails."""
    blocked = ["tensorflow", "tensorflow_datasets", "tensorboard"]
    hook = tmp_path / "hook" / "sitecustomize.py"
    hook.parent.mkdir()
    hook.write_text(f"import sys\nsys.modules.update(dict.fromkeys({blocked}))\n")
    program.environment["PYTHONPATH"] = str(hook.parent)
    return program


def test_training_scoring_and_sampling(
    without: ExperimentProgram, tiny: Tiny, tmp_path: Path
) -> None:
    procedural = tiny(**TWO_ITERATIONS, eval_every=2, eval__network="structure")
    code, out, err = ended(without.run(procedural))
    assert (code, err) == (0, "")
    assert out.count(LINE) == 1 and "tensorboard --logdir" not in out
    assert not (tmp_path / "run" / "tensorboard").exists()
    assert "structure_error" in (tmp_path / "run" / "scores.jsonl").read_text()
    code, _, err = ended(without.run(procedural, "--mode=sample"))
    assert (code, err) == (0, "")
    assert (tmp_path / "run" / "pictures" / "samples-0000002.png").stat().st_size > 0


def test_training_on_an_npz_file(without: ExperimentProgram, tiny: Tiny, tmp_path: Path) -> None:
    saved(train=images(16, side=16), test=images(8, side=16))(tmp_path)
    stored = tiny(**TWO_ITERATIONS, data__name="npz", data__npz__file=str(tmp_path / NAME))
    code, out, err = ended(without.run(stored))
    assert (code, err) == (0, "")
    assert out.count(LINE) == 1 and "done: 2 iterations" in out


def test_reading_cifar10_names_the_remedy(without: ExperimentProgram, tiny: Tiny) -> None:
    code, _, err = ended(without.run(tiny(data__name="cifar10", data__image_size=32)))
    assert (code, err.count("\n")) == (1, 1)
    assert "install TensorFlow and tensorflow-datasets, or set --config.data.name=npz" in err
