"""The notebook runs from top to bottom at toy size."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.program import ROOT
from tests.reliability.invalid_input_cases.data import tfds

NOTEBOOK = ROOT / "colab" / "gcgan_jax.ipynb"
TOY = [
    *("--config.batch_size=8", "--config.n_critic=1", "--config.iterations_per_call=1"),
    *("--config.generator.width=16", "--config.critic.widths=(4,6,8)"),
    "--config.generator.graph_layer.graph.knn.k=3",
    *("--config.diagnostic_images=8", "--config.sample_images=4", "--config.log_every=1"),
    *("--config.data.twins.num_train=64", "--config.data.twins.num_test=16"),
]


def test_stored_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert NOTEBOOK.stat().st_size < 50_000
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert [cell.metadata.get("tags") for cell in code[:2]] == [["parameters"], None]


@pytest.mark.slow
def test_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tfds(train=64, test=16)(tmp_path / "data")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    settings = {
        "WORKDIR": str(tmp_path / "small"),
        "ITERATIONS": 2,
        "SMALL": TOY,
        "CIFAR_ITERATIONS": 2,
        "CIFAR": [*TOY, f"--config.data.dir={tmp_path / 'data'}"],
        "DRIVE": False,
    }
    (parameters,) = (c for c in notebook.cells if c.metadata.get("tags") == ["parameters"])
    parameters.source += "".join(f"\n{name} = {value!r}" for name, value in settings.items())
    for cell in notebook.cells:  # keep its runs in tmp_path
        cell.source = cell.source.replace('"runs/cifar"', repr(str(tmp_path / "cifar")))
    monkeypatch.setenv("JAX_NUM_CPU_DEVICES", "1")
    monkeypatch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "true")
    NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": NOTEBOOK.parent}}
    ).execute()
    outputs = "".join(str(cell.get("outputs")) for cell in notebook.cells)
    assert "image/png" in outputs and "structure_error" in outputs
    assert "<iframe srcdoc=" in outputs and (tmp_path / "small" / "viewer.html").exists()
    assert outputs.count("[1, 2, 4]") == 1
    nbformat.write(notebook, tmp_path / "executed.ipynb")
