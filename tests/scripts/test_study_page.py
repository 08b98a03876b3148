"""The study's page: drawn from the committed results alone."""

import io
from importlib.metadata import version

import pytest

from gcgan_jax.report.markdown import filled
from scripts import ROOT
from scripts.study.__main__ import RESULTS
from scripts.study.jobs import Results
from scripts.study.lines import as_results, read_lines, results_of
from scripts.study.page import FIGURES, parts, save
from scripts.study.page.scores import difference_table, score, scores_of, seed_table
from scripts.study.page.tables import against_controls, bench
from scripts.study.runs import JOBS

PAGE = ROOT / "docs/why.md"
COMMITTED = as_results(results_of(JOBS, read_lines(RESULTS)))


def test_the_page_shows_the_results() -> None:
    page = PAGE.read_text()
    assert filled(page, dict(parts(COMMITTED))) == page, (
        "run python -m scripts.study --page=docs/why.md"
    )


@pytest.mark.parametrize("name", FIGURES)
def test_figures_show_the_results(name: str) -> None:
    committed = (PAGE.with_suffix("") / f"{name}.svg").read_bytes()
    assert f"(why/{name}.svg)" in PAGE.read_text()
    if f"Matplotlib v{version('matplotlib')}".encode() not in committed:
        pytest.skip("drawn by another version of matplotlib")
    drawn = io.BytesIO()
    save(FIGURES[name], COMMITTED, drawn)
    assert drawn.getvalue() == committed


@pytest.mark.parametrize("name", FIGURES)
def test_figures_without_results_can_be_drawn(name: str) -> None:
    save(FIGURES[name], Results({}), io.BytesIO())


def agreeing(**by_arm: list[float]) -> Results:
    return Results(
        {
            ("A3", f"echo-3 {arm}", seed): {"scores": {"agreement": value}}
            for arm, values in by_arm.items()
            for seed, value in enumerate(values)
        }
    )


def test_tables_of_seeds_and_differences() -> None:
    results = agreeing(knn=[0.5, 0.7], self=[0.1, 0.3], ring=[0.0])
    scores = scores_of(results, "A3", score("agreement"), "echo-3 ")
    assert scores == {"knn": {0: 0.5, 1: 0.7}, "self": {0: 0.1, 1: 0.3}, "ring": {0: 0.0}}
    assert "| knn | 0: 0.500, 1: 0.700 | 0.600 |" in seed_table(scores, "agreement")
    table = difference_table(scores, against_controls(scores), 0.02)
    assert "| knn - self | 2 | +0.400 (+0.400 to +0.400) | 0.000 |" in table
    assert "| knn - ring | 1 | +0.500 | - | - | - |" in table
    assert "self - ring" not in table


def test_bench_shows_the_part_of_the_way_between_the_bounds() -> None:
    measured = {"self": 0.08, "knn": 0.048}
    results = Results(
        {
            ("A1", arm, 0): {"mse": mse, "bounds": [0.08, 0.016], "purity": 0.25}
            for arm, mse in measured.items()
        }
    )
    assert "| knn | 0: 48 | 48 | 0.500 | 0.250 |" in bench(results, "A1")
