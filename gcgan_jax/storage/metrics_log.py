"""What a run tells: console, metrics.jsonl and TensorBoard events, all under the workdir."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from gcgan_jax.runtime.console import report
from gcgan_jax.storage.json_lines import append_json_line, read_json_lines, write_json_lines

SHOWN = ("graph", "twins", "score")  # figures that stand on the console too


class Log:
    """Writes figures of iterations, from the iteration it (re)starts at.

    Rows of metrics.jsonl beyond that iteration, written after the newest checkpoint of a run that
    was cut off, are dropped, so that every iteration is in it once.
    """

    def __init__(self, workdir: Path, iteration: int, num_iterations: int) -> None:
        from clu import metric_writers  # imports TensorFlow: seconds

        self._rows = workdir / "metrics.jsonl"
        if self._rows.exists():
            earlier = [row for row in read_json_lines(self._rows) if row["step"] <= iteration]
            write_json_lines(self._rows, earlier)
        self._events = metric_writers.AsyncWriter(
            metric_writers.SummaryWriter(str(workdir / "tensorboard"))
        )
        self._num_iterations = num_iterations

    def hyperparameters(self, values: Mapping[str, Any]) -> None:
        self._events.write_hparams({name: str(value) for name, value in values.items()})

    def entry(self, iteration: int, values: dict[str, float]) -> None:
        """Writes one entry everywhere; on the console, progress and Wasserstein estimate."""
        append_json_line(self._rows, {"step": iteration} | values)
        self._events.write_scalars(iteration, values)
        rate = values["iterations_per_second"]
        left = timedelta(seconds=round((self._num_iterations - iteration) / rate))
        others = {
            "wasserstein": values["wasserstein"],
            "gradient norm": values["gradient_norm"],
            **{name: value for name, value in values.items() if name.startswith(SHOWN)},
        }
        report(
            f"{iteration:>7}/{self._num_iterations}  {rate:.3g} iterations/s  {left} left  "
            + "  ".join(f"{name} {value:.3g}" for name, value in others.items())
        )

    def picture(self, iteration: int, picture: np.ndarray) -> None:
        self._events.write_images(iteration, {"samples": picture[None]})

    def close(self) -> None:
        self._events.close()
