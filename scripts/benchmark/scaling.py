"""Scaling of a training iteration's time and memory with k, image side and batch size.

    python -m scripts.benchmark.scaling --json=scaling.json --figure=docs/scaling.png

Every point runs in a separate process, at the thesis's widths: compilation, one warm-up iteration
(which counts if it takes over 20 seconds), then the median of a few. Needs Linux.
"""

import argparse
import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from configs import large
from gcgan_jax.config.schema import Config, from_mapping
from gcgan_jax.report import markdown
from gcgan_jax.storage.atomic import write_atomically, write_text
from scripts.benchmark.interleaved import MIB, Worker, interleave

OPERATORS = {"none": "baseline", "edge_conv": "EdgeConv", "ecc": "ECC"}
SLOW = 20.0  # seconds; a point that takes longer is measured once


@dataclass(frozen=True)
class Point:
    """One configuration, written `ecc,16,32,8`: operator, k, image side, batch size."""

    operator: str
    k: int
    side: int
    batch: int

    def __str__(self) -> str:
        return f"{self.operator},{self.k},{self.side},{self.batch}"


def series(patterns: list[str]) -> dict[str, list[Point]]:
    """Return the matching points along each axis; the others stay at k = 8, side 32 and batch 8."""
    operators = [name for name in OPERATORS if name != "none"]
    axes = {
        "k": [Point(name, k, 32, 8) for name in operators for k in (8, 16, 32, 64)],
        "side": [Point(name, 8, side, 8) for name in OPERATORS for side in (16, 32, 64)],
        "batch": [Point(name, 8, 32, batch) for name in OPERATORS for batch in (8, 32, 128)],
    }
    return {
        axis: [p for p in points if any(fnmatch(str(p), pattern) for pattern in patterns)]
        for axis, points in axes.items()
    }


def config_of(point: Point) -> Config:
    """Return the thesis's network on procedural images, with a block per doubling of the side."""
    config = large.get_config(f"{point.operator},{point.k}")
    config.batch_size = point.batch
    config.data.image_size = point.side
    config.data.twins.num_train = 1000
    return from_mapping(config.to_dict())


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, required=True, help="output file for all measurements")
    parser.add_argument("--figure", type=Path, help="output file for a plot (PNG)")
    parser.add_argument(
        "--points", nargs="*", help="names or patterns of points, e.g. ecc,16,32,8 edge_conv,*"
    )
    parser.add_argument("--repetitions", type=int, default=2, help="iterations to time per point")
    arguments = parser.parse_args(argv)
    chosen = series(arguments.points or ["*"])
    measured: dict[str, Any] = {}
    for axis, points in chosen.items():
        print(f"\n{markdown.header('operator', axis, 's/iteration', 'peak MiB')}")
        for point in points:
            if str(point) not in measured:
                measured[str(point)] = measure(point, arguments.repetitions)
            cost = measured[str(point)]
            cells = f"{cost['seconds']:.2f}", f"{cost['peak_bytes'] / MIB:.0f}"
            operator, value = OPERATORS[point.operator], getattr(point, axis)
            print(markdown.row(operator, value, *cells), flush=True)
            write_text(arguments.json, json.dumps(measured, indent=1))
    if arguments.figure:
        plot(chosen, measured, arguments.figure)


def measure(point: Point, repetitions: int) -> dict[str, float]:
    with closing(Worker(str(point), "scripts.benchmark.scaling_point", str(point))) as worker:
        worker.warm_up(at_most=SLOW)
        interleave([worker], SLOW, repetitions)
        return {"seconds": worker.median, "peak_bytes": worker.peak_bytes}


def plot(chosen: dict[str, list[Point]], measured: dict[str, Any], path: Path) -> None:
    """Plot time (top row) and memory (bottom row), one column per axis, on logarithmic scales."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5.5), layout="constrained")
    axes = figure.subplots(2, 3, sharey="row")
    for column, (axis, points) in enumerate(chosen.items()):
        for operator, label in OPERATORS.items():
            curve = [point for point in points if point.operator == operator]
            x = [getattr(point, axis) for point in curve]
            costs = [measured[str(point)] for point in curve]
            axes[0, column].plot(x, [c["seconds"] for c in costs], "o-", label=label)
            axes[1, column].plot(x, [c["peak_bytes"] / 2**30 for c in costs], "o-", label=label)
        for row in range(2):
            axes[row, column].set_xscale("log", base=2)
            axes[row, column].set_yscale("log")
            axes[row, column].grid(alpha=0.3)
        axes[1, column].set_xlabel({"k": "k", "side": "image side, pixels"}.get(axis, axis))
    axes[0, 0].set_ylabel("seconds per iteration")
    axes[1, 0].set_ylabel("peak memory, GiB")
    axes[0, 2].legend()
    write_atomically(path, lambda file: figure.savefig(file, format="png", dpi=110))


if __name__ == "__main__":
    main()
