"""Measure the stability and cost of lightweight ECC, with and without normalised edge labels.

    python -m scripts.stability --records=docs/results/low_rank_ecc.jsonl \
        --figure=docs/low_rank_ecc.png

Every job adds one line to the records; rerunning skips those that are there. The jobs:

    growth    norms of the output and its gradients against the scale of the features
    training  iterations of `configs/lab/low_rank_ecc.py` until a number is not finite
    initial   the non-local branch of untrained generators against the local one, and full ECC's
    cost      parameters, memory and time of the operator and its gradients, against full ECC

Prints tables of all records.
"""

import argparse
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from functools import partial
from itertools import product
from pathlib import Path

from gcgan_jax.storage.atomic import write_atomically
from gcgan_jax.storage.json_lines import append_json_lines, read_json_lines
from scripts.stability.measurements import SIZES, Record, cost, growth, initial, training
from scripts.stability.report import draw, tables

SEEDS = range(5)
WIDTHS = 528, 264  # of the thesis's generator, and half of it
LABELS = {"raw": False, "normalised": True}  # edge labels: LowRankECC's `normalise`


def jobs() -> dict[str, Callable[[], Record]]:
    """Return all jobs by name."""
    named: dict[str, Callable[[], Record]] = {}
    for labels, normalise in LABELS.items():
        for gamma in ("off", "adaptive"):
            job = partial(growth, normalise, gamma == "adaptive")
            named[f"growth/{labels}/gamma {gamma}"] = job
    for gamma in ("off", "on"):
        for seed in SEEDS:
            for labels, normalise in LABELS.items():
                job = partial(training, normalise, gamma == "on", seed)
                named[f"training/{labels}/gamma {gamma}/seed {seed}"] = job
    for operator, width, gamma in product(("ecc", "low_rank_ecc"), WIDTHS, ("off", "on")):
        job = partial(initial, operator, width, gamma == "on")
        named[f"initial/{operator}/width {width}/gamma {gamma}"] = job
    return named | {f"cost/{features} features": partial(cost, features) for features in SIZES}


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=Path, required=True, help="file of results (JSON lines)")
    parser.add_argument("--only", default="*", help="pattern of jobs, e.g. 'training/*/seed 0'")
    parser.add_argument("--figure", type=Path, help="output file for a plot (PNG)")
    arguments = parser.parse_args(argv)
    for name, run in jobs().items():
        if fnmatch(name, arguments.only) and name not in read(arguments.records):
            print(name, flush=True)
            append_json_lines(arguments.records, [{"job": name, **run()}])
    records = read(arguments.records)
    print(tables(records))
    if arguments.figure:
        figure = draw(records)
        write_atomically(arguments.figure, lambda file: figure.savefig(file, format="png", dpi=100))


def read(path: Path) -> dict[str, Record]:
    """Return the records by job."""
    rows = read_json_lines(path, parse=dict, key=lambda row: row["job"]).rows
    return {row["job"]: row for row in rows}


if __name__ == "__main__":
    main()
