"""Records of scores with their provenance, and the file scores.jsonl."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from gcgan_jax import __version__
from gcgan_jax.evaluation.protocol import Provenance
from gcgan_jax.storage.json_lines import (
    Lines,
    append_json_lines,
    read_json_lines,
    rewrite_json_lines,
)
from gcgan_jax.storage.lock import exclusive_access

LIBRARIES = ("jax", "flax", "numpy")
SCORES = "scores.jsonl"  # file name in a workdir


@dataclass(frozen=True)
class Value:
    """Value of a score, and its standard deviation over splits or subsets if it has any."""

    value: float
    std: float | None = None


@dataclass(frozen=True)
class Record:
    """A score, the images it belongs to, and how it was obtained; a line of scores.jsonl.

    Attributes:
        score: name of the score.
        value, std: see `Value`.
        images: "generator", or a folder of images; seed, ema and step are None for a folder.
        seed: seed of the latents.
        ema: whether the EMA of the generator was used.
        step: generator iterations.
        versions: versions of this package and its main dependencies.
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
        """Return a flat dict, as written to the file."""
        fields = asdict(self)
        return fields | fields.pop("provenance")

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> "Record":
        """Return the record of a flat dict; raise ValueError if its fields are not those here."""
        own, inner = get_type_hints(cls), get_type_hints(Provenance)
        del own["provenance"]
        hints = own | inner
        if entry.keys() != hints.keys() or not all(_fits(entry[n], hints[n]) for n in hints):
            raise ValueError("not a record")
        provenance = Provenance(**{name: entry[name] for name in inner})
        return cls(**{name: entry[name] for name in own}, provenance=provenance)

    @property
    def identity(self) -> "Record":
        """The record without its value; a new record replaces one of the same identity."""
        return replace(self, value=0.0, std=None)


def versions() -> dict[str, str]:
    """Return the versions of this package and its main dependencies."""
    return {"gcgan_jax": __version__} | {name: version(name) for name in LIBRARIES}


def read_records(path: Path) -> list[Record]:
    """Read the records of a scores.jsonl; there are none if it does not exist.

    Raises:
        UserError: the path is no regular file.
    """
    return _read(path).rows


def add_records(path: Path, new: Sequence[Record]) -> None:
    """Add records to the file, replacing those of the same identity.

    Other lines are moved to <path>.rejected; the new records are on disk before that. Safe for
    concurrent processes, for example when a run is evaluated while it trains.

    Raises:
        UserError: the path is a link or no regular file.
    """
    replaced = [record.identity for record in new]
    path.parent.mkdir(parents=True, exist_ok=True)
    with exclusive_access(path):
        stored = _read(path)
        others = [record for record in stored.rows if record.identity not in replaced]
        append_json_lines(path, [record.to_json() for record in new])
        if stored.rejected or len(others) < len(stored.rows):
            records = [record.to_json() for record in [*others, *new]]
            rewrite_json_lines(path, records, stored.rejected)


def _read(path: Path) -> Lines[Record]:
    def identity(record: Record) -> str:
        return json.dumps(record.identity.to_json(), sort_keys=True)

    return read_json_lines(path, Record.from_json, identity)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value read from JSON has the type of a field of a record."""
    if get_origin(hint) is dict:
        (_, kind) = get_args(hint)
        return isinstance(value, dict) and all(_fits(v, kind) for v in value.values())
    if get_args(hint):
        return any(_fits(value, kind) for kind in get_args(hint))
    if hint is float:
        return type(value) in (int, float) and abs(value) <= sys.float_info.max
    return type(value) is hint


def as_tables(records: Iterable[Record]) -> str:
    """Format records as text, with one table per provenance."""
    tables: dict[Provenance, dict[str, dict[str, str]]] = {}
    for record in records:
        row = record.images
        if record.step is not None:
            row = f"iteration {record.step}{' (EMA)' if record.ema else ''}"
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
