"""Metrics of a run: metrics.jsonl and TensorBoard events in the workdir."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gcgan_jax.storage.json_lines import append_json_line, read_json_lines, write_json_lines


class MetricsLog:
    """Appends entries to metrics.jsonl and to the TensorBoard events.

    Earlier entries after `iteration`, from which the run starts or resumes, are dropped: it will
    write them again, and each iteration should appear once.
    """

    def __init__(self, workdir: Path, iteration: int) -> None:
        from clu import metric_writers  # imports TensorFlow, which takes seconds

        self._path = workdir / "metrics.jsonl"
        if self._path.exists():
            earlier = [entry for entry in read_json_lines(self._path) if entry["step"] <= iteration]
            write_json_lines(self._path, earlier)
        self._events = metric_writers.AsyncWriter(
            metric_writers.SummaryWriter(str(workdir / "tensorboard"))
        )

    def hyperparameters(self, values: Mapping[str, Any]) -> None:
        self._events.write_hparams({name: str(value) for name, value in values.items()})

    def entry(self, iteration: int, values: dict[str, float]) -> None:
        append_json_line(self._path, {"step": iteration} | values)
        self._events.write_scalars(iteration, values)

    def image(self, iteration: int, image: np.ndarray) -> None:
        """Add a grid of samples, uint8 [H, W, 3]."""
        self._events.write_images(iteration, {"samples": image[None]})

    def close(self) -> None:
        self._events.close()
