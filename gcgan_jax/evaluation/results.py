"""Scores, and the records of them that say how each was obtained."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gcgan_jax import __version__
from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.protocol import Provenance
from gcgan_jax.storage.json_lines import read_json_lines, write_json_lines
from gcgan_jax.storage.lock import exclusive_access

LIBRARIES = ("jax", "flax", "numpy")
SCORES = "scores.jsonl"  # in a workdir


@dataclass(frozen=True)
class Value:
    value: float
    std: float | None = None  # standard deviation over splits or subsets


@dataclass(frozen=True)
class Record:
    """One score, of which images it is, and how it was obtained; a line of scores.jsonl.

    Attributes:
        images: "generator", or the folder they were read from, which has none of the following.
        seed: of the latents.
        ema: whether the average of the generator made the images.
        step: generator iterations.
    """

    score: str
    value: float
    std: float | None
    images: str
    seed: int | None
    ema: bool | None
    step: int | None
    versions: dict[str, str]
    provenance: Provenance

    def to_json(self) -> dict[str, Any]:
        """In one level, as it stands in the file."""
        fields = asdict(self)
        return fields | fields.pop("provenance")

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> "Record":
        """Raises KeyError if a field is missing."""
        own = {field.name: entry[field.name] for field in fields(cls)[:-1]}
        provenance = {field.name: entry[field.name] for field in fields(Provenance)}
        return cls(**own, provenance=Provenance(**provenance))

    @property
    def identity(self) -> "Record":
        """Without its value: what a later record of the same takes the place of."""
        return replace(self, value=0.0, std=None)


def versions() -> dict[str, str]:
    return {"gcgan_jax": __version__} | {name: version(name) for name in LIBRARIES}


def read_records(path: Path) -> list[Record]:
    """The records of a scores.jsonl; none if it does not exist.

    Raises:
        UserError: a record lacks a field.
    """
    try:
        return [Record.from_json(entry) for entry in read_json_lines(path)]
    except KeyError as missing:
        raise UserError(
            f"{path} has a record without {missing}, written by another version of gcgan_jax: move "
            "the file elsewhere and score again"
        ) from None


def add_records(path: Path, new: Sequence[Record]) -> None:
    """Adds records to the file, in place of those that were obtained in the same way.

    Several processes may do so, as when a run is scored that still trains.
    """
    made = [record.identity for record in new]
    path.parent.mkdir(parents=True, exist_ok=True)
    with exclusive_access(path):
        kept = [record for record in read_records(path) if record.identity not in made]
        write_json_lines(path, [record.to_json() for record in [*kept, *new]])


def as_tables(records: Iterable[Record]) -> str:
    """Records as text, a table for each provenance."""
    tables: dict[Provenance, dict[str, dict[str, str]]] = {}
    for record in records:
        row = record.images
        if record.step is not None:
            row = f"iteration {record.step}{', averaged parameters' if record.ema else ''}"
        std = "" if record.std is None else f" ± {record.std:.3g}"
        scores = tables.setdefault(record.provenance, {}).setdefault(row, {})
        scores[record.score] = f"{record.value:.5g}{std}"
    return "\n\n".join(_table(provenance, rows) for provenance, rows in tables.items())


def _table(provenance: Provenance, rows: dict[str, dict[str, str]]) -> str:
    lines = [str(provenance)]
    for row, scores in rows.items():
        lines.append(f"  {row}")
        width = max(map(len, scores))
        lines += [f"    {name:<{width}}  {value}" for name, value in scores.items()]
    return "\n".join(lines)
