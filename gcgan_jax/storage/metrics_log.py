"""Metrics of a run: metrics.jsonl and TensorBoard events in the workdir."""

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gcgan_jax.runtime.console import report
from gcgan_jax.storage.json_lines import (
    Lines,
    append_json_lines,
    read_json_lines,
    rewrite_json_lines,
)

FILE = "metrics.jsonl"  # in a workdir

NUMBERS = frozenset({int, float})

Entry = dict[str, Any]  # "step": iteration, and numbers by name; None for one that is not finite


def read_entries(workdir: Path) -> Lines[Entry]:
    """Read the entries of a run, one per iteration.

    Raises:
        UserError: metrics.jsonl is no regular file.
    """
    return read_json_lines(workdir / FILE, _parse, key=lambda entry: entry["step"])


class MetricsLog:
    """Appends entries to metrics.jsonl and, where TensorFlow is installed, to TensorBoard events.

    Earlier entries after `iteration`, from which the run starts or resumes, are dropped: it will
    write them again, and each iteration should appear once. Lines that are no entries are moved to
    metrics.jsonl.rejected.

    Raises:
        UserError: metrics.jsonl is a link or no regular file.
    """

    def __init__(self, workdir: Path, iteration: int) -> None:
        self._path = workdir / FILE
        append_json_lines(self._path, [])  # ensures that entries can be written
        stored = read_entries(workdir)
        earlier = [entry for entry in stored.rows if entry["step"] <= iteration]
        rewrite_json_lines(self._path, earlier, stored.rejected)
        self._events = _open_events(workdir / "tensorboard")

    def hyperparameters(self, values: Mapping[str, Any]) -> None:
        """Write them for TensorBoard's HParams page, which sorts numbers and takes no tuples."""
        self._events.write_hparams(
            {
                name: value if isinstance(value, bool | int | float) else str(value)
                for name, value in values.items()
            }
        )

    def entry(self, iteration: int, values: dict[str, float]) -> None:
        finite = {name: v if math.isfinite(v) else None for name, v in values.items()}
        append_json_lines(self._path, [{"step": iteration} | finite])
        self._events.write_scalars(iteration, values)

    def image(self, iteration: int, image: np.ndarray) -> None:
        """Add a grid of samples, uint8 [H, W, F]."""
        self._events.write_images(iteration, {"samples": image[None]})

    def close(self) -> None:
        self._events.close()


class _NoEvents:
    """Takes the place of clu's writer where TensorFlow is not installed."""

    def write_hparams(self, values: Mapping[str, Any]) -> None: ...

    def write_scalars(self, iteration: int, values: Mapping[str, float]) -> None: ...

    def write_images(self, iteration: int, images: Mapping[str, np.ndarray]) -> None: ...

    def close(self) -> None: ...


def _open_events(directory: Path) -> Any:
    try:
        from clu import metric_writers  # imports TensorFlow, which takes seconds
    except ImportError as error:
        report(f"no TensorBoard events ({error}): install tensorflow and tensorboard for them")
        return _NoEvents()
    # Not clu's AsyncWriter, which prints a traceback when the disk is full.
    return metric_writers.SummaryWriter(str(directory))


def _parse(entry: Entry) -> Entry:
    """Return an entry; raise ValueError if it is not of the type `Entry`."""
    if type(entry.get("step")) is not int or entry["step"] < 1:
        raise ValueError("no iteration")
    numbers = [value for value in entry.values() if value is not None]
    largest = sys.float_info.max
    if not NUMBERS.issuperset(map(type, numbers)) or max(max(numbers), -min(numbers)) > largest:
        raise ValueError("not a finite number")
    return entry
