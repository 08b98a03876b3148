"""Scores of arms by seed, and the two tables that show them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from gcgan_jax.report import markdown
from gcgan_jax.report.paired import LEVEL, cells, compare, pair, titles
from scripts.study.jobs import Results

Scores = dict[str, dict[int, float]]  # by arm and seed
Measure = Callable[[Mapping[str, Any]], float | None]


def score(name: str) -> Measure:
    """Return a measure: a score of the trained generator."""
    return lambda result: result["scores"][name]


def last(name: str) -> Measure:
    """Return a measure: the mean over layers of a diagnostic in the last log entry."""

    def mean(result: Mapping[str, Any]) -> float | None:
        values = [v for key, v in result["last"].items() if key.rpartition("/")[2] == name]
        return float(np.mean(values)) if values else None

    return mean


def d_prime(result: Mapping[str, Any]) -> float | None:
    """A measure: d' of a critic alone on held-out images."""
    return result.get("d_prime")


def cost(result: Mapping[str, Any]) -> float | None:
    """A measure: seconds of CPU time of the whole job; None if it was interrupted."""
    return result.get("cpu_seconds")


def scores_of(results: Results, run: str, measure: Measure, prefix: str = "") -> Scores:
    """Return the measure of a run's finished jobs whose arms start with `prefix`, without it."""
    scores: Scores = {}
    for arm, seed, result in results.of_run(run):
        if arm.startswith(prefix):
            value = measure(result)
            if value is not None:
                scores.setdefault(arm.removeprefix(prefix), {})[seed] = value
    return {arm: dict(sorted(by_seed.items())) for arm, by_seed in scores.items()}


def measures_table(
    results: Results, run: str, measures: Mapping[str, Measure], prefix: str = ""
) -> str:
    """Tabulate the first measure of a run's arms by seed, and the means of all; see `scores_of`."""
    titled = {name: scores_of(results, run, of, prefix) for name, of in measures.items()}
    (title, scores), *more = titled.items()
    return seed_table(scores, title, dict(more))


def agreement_measures(title: str) -> dict[str, Measure]:
    """Return the measures of `echo` that every table of it shows, the agreement first."""
    further = ("same", "richness", "diversity")
    return {title: score("agreement")} | {name: score(name) for name in further}


TWINS: Mapping[str, Measure] = {  # the measures that every table of them shows
    "diagonal correlation": score("diagonal_correlation"),
    "structure error": score("structure_error"),
}


def seed_table(scores: Scores, title: str, more: Mapping[str, Scores] | None = None) -> str:
    """Tabulate a score by seed with its mean, and the means of further ones."""
    more = more or {}
    lines = [markdown.header("arm", f"{title}, by seed", "mean", *more)]
    for arm, by_seed in scores.items():
        listed = ", ".join(f"{seed}: {number(value)}" for seed, value in by_seed.items())
        means = (mean_of(further.get(arm, {})) for further in (scores, *more.values()))
        lines.append(markdown.row(arm, listed, *means))
    return "\n".join(lines)


def difference_table(
    scores: Scores, pairs: Iterable[tuple[str, str]], margin: float | None = None
) -> str:
    """Tabulate paired differences between arms, as one family of comparisons."""
    differences = {
        f"{a} - {b}": pair(scores[a], scores[b]) for a, b in pairs if a in scores and b in scores
    }
    columns = titles(f"mean ({LEVEL:.0%} interval)", margin)
    lines = [markdown.header("difference", "seeds", *columns)]
    for name, comparison in compare(differences, margin).items():
        shown = cells(comparison)[: len(columns)]
        lines.append(markdown.row(name, comparison.n, *shown))
    return "\n".join(lines)


def mean_of(by_seed: Mapping[int, float]) -> str:
    return number(float(np.mean([*by_seed.values()]))) if by_seed else "-"


def number(value: float) -> str:
    """Format a number with three decimals, or three digits if it is 10 or more."""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.3g}"
