"""Scores of Table 4.1's rows over seeds, next to the values in the thesis."""

import csv
import io
from dataclasses import astuple, dataclass, fields

import numpy as np
from scipy import stats

from gcgan_jax.evaluation.results import Record
from gcgan_jax.report import markdown

RESAMPLES = 10_000
LEVEL = 0.95


@dataclass(frozen=True)
class Row:
    """A row of the thesis's Table 4.1: its config, and its Inception Score if it has one."""

    title: str
    config: str
    thesis: str


ROWS = {
    "baseline": Row("baseline", "configs/baseline.py", "6.442 ± 0.511"),
    "edge_conv-8": Row("EdgeConv, k = 8", "configs/edge_conv.py:8", "6.154 ± 0.421"),
    "edge_conv-16": Row("EdgeConv, k = 16", "configs/edge_conv.py:16", "5.889 ± 0.345"),
    "edge_conv-32": Row("EdgeConv, k = 32", "configs/edge_conv.py:32", "5.942 ± 0.492"),
    "ecc-8": Row("ECC, k = 8", "configs/ecc.py:8", "6.204 ± 0.356"),
    "ecc-16": Row("ECC, k = 16, batch 16", "configs/ecc.py:16", "5.802 ± 0.293"),
    "ecc-32": Row("ECC, k = 32, batch 8", "configs/ecc.py:32", "5.649 ± 0.217"),
    "ecc-16-constant": Row("ECC, k = 16", "configs/ecc.py:16,constant", ""),
    "ecc-32-constant": Row("ECC, k = 32", "configs/ecc.py:32,constant", ""),
}


@dataclass(frozen=True)
class Summary:
    """Scores of a row over seeds; values are None where there are too few seeds.

    Attributes:
        row: title of the row.
        seeds: number of seeds.
        score: name of the score.
        mean, std: mean and standard deviation (n - 1) over seeds.
        difference: difference of the mean from that of the baseline, for the same provenance.
        low, high: bootstrap interval of the difference.
        protocol: provenance of the scores.
        thesis: Inception Score in the thesis.
    """

    row: str
    seeds: int
    score: str
    mean: float
    std: float | None
    difference: float | None
    low: float | None
    high: float | None
    protocol: str
    thesis: str


def summarise(records_by_row: dict[str, list[Record]]) -> list[Summary]:
    """Summarise the records of each row, separately for each provenance."""
    values: dict[tuple[str, str], list[float]] = {}
    scores: dict[str, str] = {}
    for name, records in records_by_row.items():
        for record in records:
            provenance = str(record.provenance)
            values.setdefault((name, provenance), []).append(record.value)
            scores[provenance] = record.score
    summaries = []
    for (name, provenance), row_values in values.items():
        baseline = values.get(("baseline", provenance), [])
        difference, low, high = None, None, None
        if name != "baseline" and baseline:
            difference = float(np.mean(row_values) - np.mean(baseline))
            if min(len(row_values), len(baseline)) > 1:
                low, high = bootstrap_interval(np.array(row_values), np.array(baseline))
        summaries.append(
            Summary(
                row=ROWS[name].title,
                seeds=len(row_values),
                score=scores[provenance],
                mean=float(np.mean(row_values)),
                std=float(np.std(row_values, ddof=1)) if len(row_values) > 1 else None,
                difference=difference,
                low=low,
                high=high,
                protocol=provenance,
                thesis=ROWS[name].thesis,
            )
        )
    return summaries


def bootstrap_interval(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Compute the percentile bootstrap interval of mean(a) - mean(b), two independent samples.

    Efron & Tibshirani 1993, chapter 13; with three seeds it is coarse and too narrow.
    """

    def difference(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
        return a.mean(axis) - b.mean(axis)

    result = stats.bootstrap(
        (a, b),
        difference,
        n_resamples=RESAMPLES,
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    low, high = result.confidence_interval
    return float(low), float(high)


def as_markdown(summaries: list[Summary]) -> str:
    """Format one table per provenance; scores of different provenance never share a column."""
    tables = []
    for provenance in dict.fromkeys(summary.protocol for summary in summaries):
        group = [summary for summary in summaries if summary.protocol == provenance]
        difference = f"difference from the baseline, {LEVEL:.0%} interval"
        thesis = "Inception Score in the thesis"
        lines = [markdown.header("row", "seeds", group[0].score, difference, thesis)]
        for s in group:
            std = "" if s.std is None else f" ± {s.std:.3f}"
            change = "-" if s.difference is None else f"{s.difference:+.3f}"
            if s.low is not None:
                change += f" ({s.low:+.3f} to {s.high:+.3f})"
            lines.append(
                markdown.row(s.row, s.seeds, f"{s.mean:.3f}{std}", change, s.thesis or "-")
            )
        title = f"{provenance}; mean ± standard deviation over seeds:"
        tables.append("\n".join([title, "", *lines]))
    return "\n\n".join(tables) + "\n"


def as_csv(summaries: list[Summary]) -> str:
    """Format all summaries as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(Summary))
    writer.writerows(map(astuple, summaries))
    return text.getvalue()
