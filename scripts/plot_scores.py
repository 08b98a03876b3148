"""Draws a score against the generator iteration, of one or several runs in one figure.

    python -m scripts.plot_scores runs/baseline runs/edge_conv-8 --figure=scores.png

Scores that were obtained in different ways get panels of their own.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

from matplotlib.figure import Figure

from gcgan_jax.evaluation.results import Record, read_records
from gcgan_jax.storage.atomic import write_atomically
from gcgan_jax.training.recorder import SCORES

Curves = dict[str, list[Record]]  # by the name of the run


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workdirs", type=Path, nargs="+")
    parser.add_argument("--score", default="classifier_fid")
    parser.add_argument("--figure", type=Path, required=True)
    arguments = parser.parse_args(argv)
    panels = read_panels(arguments.workdirs, arguments.score)
    if not panels:
        sys.exit(f"no {arguments.score} in {', '.join(map(str, arguments.workdirs))}")
    figure = draw(panels, arguments.score)
    write_atomically(arguments.figure, lambda file: figure.savefig(file, format="png", dpi=120))


def read_panels(workdirs: list[Path], score: str) -> dict[str, Curves]:
    """The records of a generator, by way and by run, in the order of iterations."""
    panels: dict[str, Curves] = defaultdict(lambda: defaultdict(list))
    for workdir in workdirs:
        records = [r for r in read_records(workdir / SCORES) if r.score == score and r.step]
        for record in sorted(records, key=lambda record: record.step):
            name = workdir.name + (", averaged parameters" if record.ema else "")
            panels[str(record.provenance)][name].append(record)
    return panels


def draw(panels: dict[str, Curves], score: str) -> Figure:
    figure = Figure(figsize=(7, 4.2 * len(panels)), layout="constrained")
    for axes, (way, curves) in zip(
        figure.subplots(len(panels), squeeze=False)[:, 0], panels.items(), strict=True
    ):
        for name, records in curves.items():
            steps = [record.step for record in records]
            spreads = [record.spread or 0 for record in records]
            values = [record.value for record in records]
            axes.errorbar(steps, values, spreads, label=name, marker="o", markersize=3, capsize=2)
        axes.set(xlabel="generator iteration", ylabel=score)
        axes.set_title(fill(way, 95), fontsize=7)
        axes.grid(alpha=0.3)
        axes.legend()
    return figure


if __name__ == "__main__":
    main()
