"""The Markdown made from recorded results, some of which were changed to contain every case."""

import json
from pathlib import Path

import pytest

from scripts.benchmark.accelerator.report import digits, report, shown_seconds

RESULTS = json.loads(Path(__file__).with_name("accelerator_results.json").read_text())


@pytest.mark.parametrize(
    "line",
    [
        "# Measurements on cpu",
        "jaxlib 0.10.2, flax 0.12.8, optax 0.2.8, torch 2.13.0+cpu, torch_geometric 2.8.1; cpu",
        "graph layers by PyTorch Geometric; CUDA not used",
        "toy sizes: these numbers mean nothing",
        "| kNN | 0e+00 | - | agrees |",
        "| ECC | 2e-07 | 5e-08 | agrees |",
        "Measured: 10 of 11.",
        # The fastest variant counts, and one that failed does not.
        "| 5 ms (4.5 to 5.5) | 3 | 1 | 10 ms (10 to 10) | channels_last | 2.00 | 5 |",
        # Two iterations per call take 8 ms.
        "/iterations_per_call=2 | 4 ms (4 to 4) | - | 1 | 10 ms (10 to 10) | channels_last | 2.50",
        "| iteration:ecc:3@4 | XlaRuntimeError: RESOURCE_EXHAUSTED | - | - | - | - | - | - |",
        "| baseline | float32 | 1677 | 400 | eager | 4.19 |",
        "| quickstart | ModuleNotFoundError: No module named 'tensorflow' | - | - | - | - |",
        "| case | time | Generator | edge_conv | Critic | optimizer | knn | other | gaps |",
    ],
)
def test_page(line: str) -> None:
    assert line in report(RESULTS)


def test_shares_of_a_profile_add_up() -> None:
    (row,) = RESULTS["measured"]["profile"].values()
    for grouping in ("kinds", "components"):
        assert sum(row[grouping].values()) == pytest.approx(row["seconds"], rel=0.02)


def test_without_pytorch_its_columns_are_left_out() -> None:
    measured = {
        part: {key: row for key, row in rows.items() if key.startswith("jax ")}
        for part, rows in RESULTS["measured"].items()
    }
    environment = RESULTS["environment"] | {"pytorch": None, "torch": None, "torch_geometric": None}
    page = report(RESULTS | {"measured": measured, "environment": environment})
    assert "PyTorch" not in page and "torch" not in page
    assert "| case | JAX | JAX MiB | calls at once |\n" in page
    assert "| iteration:baseline@4 | 5 ms (4.5 to 5.5) | 3 | 1 |\n" in page
    assert "| baseline | float32 | 1677 |\n" in page


def test_parts_without_results_are_left_out() -> None:
    page = report(RESULTS | {"measured": {}})
    assert "##" not in page


def test_units_and_digits() -> None:
    assert shown_seconds(1.5) == "1.5 s"
    assert shown_seconds(0.0123456, 0.01, 1.23456) == "12.3 ms (10 to 1230)"
    assert shown_seconds(2e-6) == "2 µs" and shown_seconds(5e-8) == "0.05 µs"
    assert digits(123456) == "123000"
