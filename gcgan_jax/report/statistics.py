"""Scores of Table 4.1's rows over seeds, beside what the thesis printed."""

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
    """A config, and the Inception Score that the thesis's Table 4.1 gives it, if it does."""

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
class Line:
    """Of the table; numbers are None where there are too few seeds.

    Attributes:
        seeds: how many.
        std: standard deviation over seeds (n - 1).
        difference: of the means, from the baseline's, in the same protocol.
        low, high: of its bootstrap interval.
        protocol: how the scores were obtained.
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


def summarise(found: dict[str, list[Record]]) -> list[Line]:
    """A line for each row and each way in which it was scored, by name of the row."""
    values: dict[tuple[str, str], list[float]] = {}
    scores: dict[str, str] = {}
    for name, records in found.items():
        for record in records:
            way = str(record.provenance)
            values.setdefault((name, way), []).append(record.value)
            scores[way] = record.score
    lines = []
    for (name, way), own in values.items():
        baseline = values.get(("baseline", way), [])
        difference, low, high = None, None, None
        if name != "baseline" and baseline:
            difference = float(np.mean(own) - np.mean(baseline))
            if min(len(own), len(baseline)) > 1:
                low, high = bootstrap_interval(np.array(own), np.array(baseline))
        std = float(np.std(own, ddof=1)) if len(own) > 1 else None
        mean = float(np.mean(own))
        lines.append(
            Line(
                row=ROWS[name].title,
                seeds=len(own),
                score=scores[way],
                mean=mean,
                std=std,
                difference=difference,
                low=low,
                high=high,
                protocol=way,
                thesis=ROWS[name].thesis,
            )
        )
    return lines


def bootstrap_interval(ours: np.ndarray, others: np.ndarray) -> tuple[float, float]:
    """Percentile bootstrap of mean(ours) - mean(others), two independent samples.

    Efron & Tibshirani 1993, chapter 13; with three seeds it is coarse, and too narrow.
    """

    def difference(ours: np.ndarray, others: np.ndarray, axis: int) -> np.ndarray:
        return ours.mean(axis) - others.mean(axis)

    found = stats.bootstrap(
        (ours, others),
        difference,
        n_resamples=RESAMPLES,
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    low, high = found.confidence_interval
    return float(low), float(high)


def as_markdown(lines: list[Line]) -> str:
    """A table for each protocol: scores of different ones never share a column."""
    tables = []
    for way in dict.fromkeys(line.protocol for line in lines):
        some = [line for line in lines if line.protocol == way]
        difference = f"from the baseline, {LEVEL:.0%} interval"
        thesis = "Inception Score in the thesis"
        rows = [markdown.header("row", "seeds", some[0].score, difference, thesis)]
        for line in some:
            std = "" if line.std is None else f" ± {line.std:.3f}"
            change = "-" if line.difference is None else f"{line.difference:+.3f}"
            if line.low is not None:
                change += f" ({line.low:+.3f} to {line.high:+.3f})"
            mean = f"{line.mean:.3f}{std}"
            rows.append(markdown.row(line.row, line.seeds, mean, change, line.thesis or "-"))
        tables.append("\n".join([f"{way}; mean ± standard deviation over seeds:", "", *rows]))
    return "\n\n".join(tables) + "\n"


def as_csv(lines: list[Line]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(Line))
    writer.writerows(map(astuple, lines))
    return text.getvalue()
