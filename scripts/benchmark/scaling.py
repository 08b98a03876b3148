"""How time and memory of a training iteration grow with k, image side and batch.

    python -m scripts.benchmark.scaling --json=growth.json --figure=docs/growth.png

Every point is a process of its own, at the thesis's widths: compiled, one iteration to warm up
unless that takes 20 seconds, then the median of a few. Needs Linux; the figure needs
`pip install -e '.[bench]'`.
"""

import argparse
import json
import statistics
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
from scripts.benchmark.interleaved import Side

OPERATORS = {"none": "baseline", "edge_conv": "EdgeConv", "ecc": "ECC"}
SLOW = 20.0  # seconds; a point that takes longer is measured once
MIB = 2**20


@dataclass(frozen=True)
class Point:
    """One configuration, named as `ecc,16,32,8`: operator, k, image side, batch."""

    operator: str
    k: int
    side: int
    batch: int

    def __str__(self) -> str:
        return f"{self.operator},{self.k},{self.side},{self.batch}"


def series(patterns: list[str]) -> dict[str, list[Point]]:
    """The points along each axis, the other two at k = 8, side 32 and batch 8."""
    graphs = ("edge_conv", "ecc")
    whole = {
        "k": [Point(of, k, 32, 8) for of in graphs for k in (8, 16, 32, 64)],
        "side": [Point(of, 8, side, 8) for of in OPERATORS for side in (16, 32, 64)],
        "batch": [Point(of, 8, 32, batch) for of in OPERATORS for batch in (8, 32, 128)],
    }
    return {
        axis: [p for p in points if any(fnmatch(str(p), pattern) for pattern in patterns)]
        for axis, points in whole.items()
    }


def config_of(point: Point) -> Config:
    """The thesis's networks on procedural images; another side is a block more or less."""
    config = large.get_config(f"{point.operator},{point.k}")
    config.batch_size = point.batch
    config.data.image_size = point.side
    config.data.twins.num_train = 1000
    return from_mapping(config.to_dict())


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, required=True, help="file for all numbers")
    parser.add_argument("--figure", type=Path, help="PNG of them")
    parser.add_argument("--points", help="names or patterns, as none,*,8 ecc,16,32,8", nargs="*")
    parser.add_argument("--repetitions", type=int, default=2)
    arguments = parser.parse_args(argv)
    chosen = series(arguments.points or ["*"])
    measured: dict[str, Any] = {}
    for axis, points in chosen.items():
        print(f"\n{markdown.header('operator', axis, 's/iteration', 'peak MiB')}")
        for point in points:
            found = measured.setdefault(str(point), None) or measure(point, arguments.repetitions)
            measured[str(point)] = found
            cells = f"{found['seconds']:.2f}", f"{found['peak_bytes'] / MIB:.0f}"
            operator, value = OPERATORS[point.operator], getattr(point, axis)
            print(markdown.row(operator, value, *cells), flush=True)
            write_text(arguments.json, json.dumps(measured, indent=1))
    if arguments.figure:
        draw(chosen, measured, arguments.figure)


def measure(point: Point, repetitions: int) -> dict[str, float]:
    with closing(Side(str(point), "scripts.benchmark.scaling_point", str(point))) as side:
        side.warm_up(at_most=SLOW)
        while len(side.seconds) < repetitions and sum(side.seconds) < SLOW:
            side.go()
        return {"seconds": statistics.median(side.seconds), "peak_bytes": side.peak_bytes}


def draw(chosen: dict[str, list[Point]], measured: dict[str, Any], path: Path) -> None:
    """Time above, memory below, one column an axis; all scales logarithmic."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5.5), layout="constrained")
    axes = figure.subplots(2, 3, sharey="row")
    for column, (axis, points) in enumerate(chosen.items()):
        for operator, label in OPERATORS.items():
            along = [point for point in points if point.operator == operator]
            x = [getattr(point, axis) for point in along]
            found = [measured[str(point)] for point in along]
            axes[0, column].plot(x, [f["seconds"] for f in found], "o-", label=label)
            axes[1, column].plot(x, [f["peak_bytes"] / 2**30 for f in found], "o-", label=label)
        for row in range(2):
            axes[row, column].set_xscale("log", base=2)
            axes[row, column].set_yscale("log")
            axes[row, column].grid(alpha=0.3)
        axes[1, column].set_xlabel({"k": "k", "side": "image side, pixels"}.get(axis, axis))
    axes[0, 0].set_ylabel("seconds an iteration")
    axes[1, 0].set_ylabel("peak memory, GiB")
    axes[0, 2].legend()
    write_atomically(path, lambda file: figure.savefig(file, format="png", dpi=110))


if __name__ == "__main__":
    main()
