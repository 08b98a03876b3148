"""Plots of a score over training for one or several runs, with one panel per provenance."""

from collections import defaultdict
from pathlib import Path
from textwrap import fill

from matplotlib.figure import Figure

from gcgan_jax.evaluation.results import SCORES, Record, read_records

Curves = dict[str, list[Record]]  # by name of the run


def read_panels(workdirs: list[Path], score: str) -> dict[str, Curves]:
    """Read the records of generators, by provenance and run, in the order of iterations."""
    panels: dict[str, Curves] = defaultdict(lambda: defaultdict(list))
    for workdir in workdirs:
        by_step = [
            (r.step, r) for r in read_records(workdir / SCORES) if r.score == score and r.step
        ]
        for _, record in sorted(by_step, key=lambda pair: pair[0]):
            name = workdir.name + (" (EMA)" if record.ema else "")
            panels[str(record.provenance)][name].append(record)
    return panels


def draw(panels: dict[str, Curves], score: str) -> Figure:
    """Draw one panel per provenance, with a curve and error bars for each run."""
    figure = Figure(figsize=(7, 4.2 * len(panels)), layout="constrained")
    for axes, (provenance, curves) in zip(
        figure.subplots(len(panels), squeeze=False)[:, 0], panels.items(), strict=True
    ):
        for name, records in curves.items():
            steps = [record.step for record in records]
            stds = [record.std or 0 for record in records]
            values = [record.value for record in records]
            axes.errorbar(steps, values, stds, label=name, marker="o", markersize=3, capsize=2)
        axes.set(xlabel="generator iteration", ylabel=score)
        axes.set_title(fill(provenance, 95), fontsize=7)
        axes.grid(alpha=0.3)
        axes.legend()
    return figure
