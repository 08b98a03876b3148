"""Scores of Table 4.1's rows over seeds, next to the values in the thesis."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

import numpy as np

from gcgan_jax.evaluation.results import Record
from gcgan_jax.report import markdown
from gcgan_jax.report.paired import LEVEL, Comparison, cells, compare, pair, titles

BASELINE = "baseline"
MARGINS = {"classifier_score": 0.1, "agreement": 0.02}  # differences that do not matter


@dataclass(frozen=True)
class Row:
    """A row of the thesis's Table 4.1: its config, and its Inception Score if it has one.

    The thesis's +- is left out: it is the standard deviation over splits of the samples of one run.
    """

    title: str
    config: str
    thesis: str


ROWS = {
    BASELINE: Row("baseline", "configs/baseline.py", "6.442"),
    "edge_conv-8": Row("EdgeConv, k = 8", "configs/edge_conv.py:8", "6.154"),
    "edge_conv-16": Row("EdgeConv, k = 16", "configs/edge_conv.py:16", "5.889"),
    "edge_conv-32": Row("EdgeConv, k = 32", "configs/edge_conv.py:32", "5.942"),
    "ecc-8": Row("ECC, k = 8", "configs/ecc.py:8", "6.204"),
    "ecc-16": Row("ECC, k = 16, batch 16", "configs/ecc.py:16", "5.802"),
    "ecc-32": Row("ECC, k = 32, batch 8", "configs/ecc.py:32", "5.649"),
    "ecc-16-constant": Row("ECC, k = 16", "configs/ecc.py:16,constant", ""),
    "ecc-32-constant": Row("ECC, k = 32", "configs/ecc.py:32,constant", ""),
}


@dataclass(frozen=True)
class Summary:
    """Scores of a row over seeds.

    Attributes:
        row: title of the row.
        score: name of the score.
        values: the score by seed.
        mean: mean over seeds.
        std: standard deviation (n - 1) over seeds; None for one seed.
        difference: differences from the baseline with the same seeds and provenance; None for the
            baseline itself, and if it has none of these seeds.
        protocol: provenance of the scores.
        thesis: Inception Score in the thesis.
    """

    row: str
    score: str
    values: dict[int, float]
    mean: float
    std: float | None
    difference: Comparison | None
    protocol: str
    thesis: str


def summarise(records_by_row: Mapping[str, list[Record]]) -> list[Summary]:
    """Summarise the records of each row, one a seed, separately for each provenance.

    The comparisons of all rows of a provenance with its baseline are one family.
    """
    groups: dict[str, dict[str, list[Record]]] = {}  # by provenance and row
    for name, records in records_by_row.items():
        for record in records:
            groups.setdefault(str(record.provenance), {}).setdefault(name, []).append(record)
    return [
        summary for protocol, rows in groups.items() for summary in _summarise_group(protocol, rows)
    ]


def _summarise_group(protocol: str, rows: Mapping[str, list[Record]]) -> list[Summary]:
    score = next(iter(rows.values()))[0].score
    values = {
        name: {r.seed: r.value for r in records if r.seed is not None}
        for name, records in rows.items()
    }
    baseline = values.get(BASELINE, {})
    differences = {name: pair(of, baseline) for name, of in values.items() if name != BASELINE}
    comparisons = compare(differences, MARGINS.get(score))
    return [
        Summary(
            row=ROWS[name].title,
            score=score,
            values=dict(sorted(of.items())),
            mean=float(np.mean([*of.values()])),
            std=float(np.std([*of.values()], ddof=1)) if len(of) > 1 else None,
            difference=comparisons.get(name),
            protocol=protocol,
            thesis=ROWS[name].thesis,
        )
        for name, of in values.items()
    ]


def as_markdown(summaries: list[Summary]) -> str:
    """Format one table per provenance; scores of different provenance never share a column."""
    tables = []
    for provenance in dict.fromkeys(summary.protocol for summary in summaries):
        group = [summary for summary in summaries if summary.protocol == provenance]
        margin = MARGINS.get(group[0].score)
        columns = titles(f"difference, {LEVEL:.0%} interval", margin)
        shown = ("row", group[0].score, "by seed", *columns, "Inception Score in the thesis")
        lines = [markdown.header(*shown)]
        for s in group:
            std = "" if s.std is None else f" ± {s.std:.3f}"
            by_seed = ", ".join(f"{seed}: {value:.3f}" for seed, value in s.values.items())
            compared = cells(s.difference)[: len(columns)]
            lines.append(
                markdown.row(s.row, f"{s.mean:.3f}{std}", by_seed, *compared, s.thesis or "-")
            )
        title = (
            f"{provenance}; mean ± standard deviation over seeds; differences from the baseline "
            "with the same seeds; intervals and p by paired t-tests, after Holm:"
        )
        tables.append("\n".join([title, "", *lines]))
    return "\n\n".join(tables) + "\n"


def as_csv(summaries: list[Summary]) -> str:
    """Format all summaries as CSV; `values` is a JSON object, of the score by seed."""
    text = io.StringIO()
    of_difference = [field.name for field in fields(Comparison)]
    names = [field.name for field in fields(Summary) if field.name != "difference"]
    writer = csv.DictWriter(
        text, [*names, *(f"difference_{name}" for name in of_difference)], lineterminator="\n"
    )
    writer.writeheader()
    for summary in summaries:
        row = asdict(summary)
        difference = row.pop("difference") or dict.fromkeys(of_difference)
        row["values"] = json.dumps(row["values"])
        writer.writerow(row | {f"difference_{name}": difference[name] for name in of_difference})
    return text.getvalue()
