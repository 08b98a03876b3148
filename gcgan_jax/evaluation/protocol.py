"""How a score is obtained, and the record that says so."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from gcgan_jax import __version__
from gcgan_jax.json_lines import read_json_lines, write_json_lines
from gcgan_jax.lock import in_turn

LIBRARIES = ("jax", "flax", "numpy")


class Protocol(NamedTuple):
    """Numbers that a score depends on."""

    name: str
    samples: int
    splits: int = 10  # of the samples, contiguous: Inception Score
    subsets: int = 100  # KID
    subset_size: int = 1_000
    neighbours: int = 3  # precision and recall
    most_neighbours_of: int = 10_000  # samples and real images, the first ones: likewise


PROTOCOLS = {p.name: p for p in (Protocol("standard", 50_000), Protocol("small", 5_000))}


class Value(NamedTuple):
    value: float
    spread: float | None = None  # standard deviation over splits or subsets


@dataclass(frozen=True)
class Record:
    """One score, and all that it was obtained by.

    Attributes:
        images: "generator", or the folder they were read from.
        weights: SHA-256 of the network's.
        data: the real images' name and the start of their SHA-256.
        batch_norm: "running" averages or those of each "batch"; None for a folder, as are the
            following, and the seed.
        ema: whether the averaged generator made the images.
        step: generator iterations.
    """

    score: str
    value: float
    spread: float | None
    images: str
    network: str
    weights: str
    protocol: str
    samples: int
    splits: int
    data: str
    split: str
    seed: int | None
    batch_norm: str | None
    ema: bool | None
    step: int | None
    versions: dict[str, str]

    @property
    def way(self) -> str:
        """How it was obtained: only scores of one way may be compared."""
        model = "" if self.batch_norm is None else f", {self.batch_norm} statistics"
        network = f"{self.network} {self.weights[:8]}".strip()
        return (
            f"{self.protocol} protocol: {self.samples} samples in {self.splits} splits against "
            f"{self.data} ({self.split}), network {network}{model}"
        )

    def identity(self) -> dict[str, Any]:
        """All but the value and its spread."""
        return {k: v for k, v in asdict(self).items() if k not in ("value", "spread")}


def versions() -> dict[str, str]:
    return {"gcgan_jax": __version__} | {name: version(name) for name in LIBRARIES}


def read_records(path: Path) -> list[Record]:
    """The records of a scores.jsonl; none if it does not exist."""
    return [Record(**fields) for fields in read_json_lines(path)]


def add_records(path: Path, new: Sequence[Record]) -> None:
    """Adds records to the file, in place of those that were obtained in the same way.

    Several processes may do so, as when a run is scored that still trains.
    """
    made = [record.identity() for record in new]
    path.parent.mkdir(parents=True, exist_ok=True)
    with in_turn(path):
        kept = [record for record in read_records(path) if record.identity() not in made]
        write_json_lines(path, map(asdict, [*kept, *new]))


def as_tables(records: Iterable[Record]) -> str:
    """Records as text, a table for each way."""
    tables: dict[str, dict[str, dict[str, str]]] = {}
    for record in records:
        row = record.images
        if record.step is not None:
            row = f"iteration {record.step}{', averaged parameters' if record.ema else ''}"
        spread = "" if record.spread is None else f" ± {record.spread:.3g}"
        scores = tables.setdefault(record.way, {}).setdefault(row, {})
        scores[record.score] = f"{record.value:.5g}{spread}"
    return "\n\n".join(_table(way, rows) for way, rows in tables.items())


def _table(way: str, rows: dict[str, dict[str, str]]) -> str:
    lines = [way]
    for row, scores in rows.items():
        lines.append(f"  {row}")
        width = max(map(len, scores))
        lines += [f"    {name:<{width}}  {value}" for name, value in scores.items()]
    return "\n".join(lines)
