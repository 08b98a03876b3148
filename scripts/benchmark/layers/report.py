"""Tables of the records, the limits that they are held to, and the page that shows both.

A record belongs to one row of `rows.ROWS` and one shape.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gcgan_jax.report import markdown
from scripts.benchmark.layers.rows import ROWS, TASKS, Shape, kind

Record = Mapping[str, Any]
Records = Mapping[str, Record]  # by `key`

STANDARD = Shape()  # of the page's tables
PARTS = ("graph", "operator", "merge")  # the page has a table of each
COLUMNS = (
    *("row", "parameters", "GFLOP", "time", "GFLOP, gradient", "time, gradient"),
    "MiB, gradient",
)
NO_RECORD = "-"
NOISE = 1.05  # equal times can come out as different as this


def key(row: str, shape: Shape) -> str:
    """Return the name of a record."""
    return f"{row}@{shape}"


def cost_table(records: Records, part: str) -> str:
    """Return the costs of one kind of rows, with dashes for those without a record."""
    lines = [markdown.header(*COLUMNS)]
    for row in ROWS:
        if kind(row) == part:
            record = records.get(key(row, STANDARD))
            cells = costs(record) if record else [NO_RECORD] * (len(COLUMNS) - 1)
            lines.append(markdown.row(f"`{row}`", *cells))
    return "\n".join(lines)


def costs(record: Record) -> list[str]:
    """Return the cells of a record; times are multiples of the reference's, with quartiles."""
    cells = [f"{record['parameters']:,}"]
    for task in TASKS:
        measured, (low, high) = record[task], record[task]["quartiles"]
        cells.append(f"{measured['flops'] / 1e9:.2f}")
        cells.append(f"{measured['ratio']:.2f} ({low:.2f}, {high:.2f})")
    return [*cells, f"{record['gradient']['bytes'] / 2**20:.0f}"]


@dataclass(frozen=True)
class Limit:
    """A bound on what a few records of one shape say.

    Attributes:
        name: what is bounded.
        rows: the rows whose records `measure` takes.
        measure: function of these records.
        bound: largest value, or the smallest if `at_least`.
        unit: unit of the value.
    """

    name: str
    rows: tuple[str, ...]
    measure: Callable[..., float]
    bound: float
    at_least: bool = False
    unit: str = "x"
    shape: Shape = STANDARD

    def cells(self, records: Records) -> tuple[str, str, str]:
        """Return the value, the bound and the verdict."""
        sign = "≥" if self.at_least else "≤"
        bound = f"{sign} {self.bound:g} {self.unit}"
        keys = [key(row, self.shape) for row in self.rows]
        if not all(name in records for name in keys):
            return NO_RECORD, bound, NO_RECORD
        value = self.measure(*(records[name] for name in keys))
        held = value >= self.bound if self.at_least else value <= self.bound
        return f"{value:.2f} {self.unit}", bound, "PASS" if held else "FAIL"


def slowdown(record: Record) -> float:
    """Return the time of forward and backward pass together, over that of the reference."""
    return record["gradient"]["ratio"]


def speedup(slow: Record, fast: Record) -> float:
    """Return how much faster the second row is, in forward and backward pass together."""
    return slow["gradient"]["ratio"] / fast["gradient"]["ratio"]


def gibibytes(record: Record) -> float:
    return max(record[task]["bytes"] for task in TASKS) / 2**30


LIMITS = (
    Limit("soft_knn and aggregate: time", ("graph/soft_knn+aggregate",), slowdown, 1.5),
    Limit("max_relative: time", ("operator/max_relative",), slowdown, 1.5),
    Limit("gcn: time", ("operator/gcn",), slowdown, 1.5),
    Limit(
        "chebyshev, of three propagations, against gcn: time",
        ("operator/chebyshev", "operator/gcn"),
        speedup,
        3 * 1.5,
    ),
    Limit("self_attention: memory", ("operator/self_attention",), gibibytes, 1.5, unit="GiB"),
    *(
        Limit(f"{name} and edge_conv: time", (f"graph/{name}",), slowdown, NOISE)
        for name in ("self", "grid", "ring", "random", "shuffled", "far")
    ),
    *(
        Limit(
            f"low_rank_ecc against ecc, {shape.features} features at {shape.side}x{shape.side}: "
            "speed-up",
            ("alone/ecc", "alone/low_rank_ecc"),
            speedup,
            bound,
            at_least=True,
            shape=shape,
        )
        for shape, bound in ((STANDARD, 1.5), (Shape(side=16, features=132), 3.0))
    ),
)


def limit_table(records: Records) -> str:
    lines = [markdown.header("limit", "measured", "allowed", "")]
    lines += [markdown.row(limit.name, *limit.cells(records)) for limit in LIMITS]
    return "\n".join(lines)


def tables(records: Records) -> dict[str, str]:
    """Return all tables by the names of their markers in the page."""
    parts = {name: cost_table(records, name) for name in PARTS}
    return parts | {"limits": limit_table(records)}
