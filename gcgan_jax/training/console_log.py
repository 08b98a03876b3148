"""Progress of training on the console."""

from collections.abc import Mapping
from datetime import timedelta

from gcgan_jax.runtime.console import has_terminal, report
from gcgan_jax.runtime.live_line import LiveLine

SHOWN = {  # metrics, and their names on the console
    "wasserstein": "wasserstein",
    "gradient_norm": "gradient norm",
    "twins/diagonal_correlation": "diagonal correlation",
}


class ConsoleLog:
    """Shows some metrics: in a live line on a terminal, elsewhere in a line per log entry."""

    def __init__(self, num_iterations: int) -> None:
        self._num_iterations = num_iterations
        self._line: LiveLine | None = None

    def start(self, iteration: int) -> None:
        """Start the clock, after compilation."""
        if has_terminal():
            self._line = LiveLine(self._num_iterations, "iterations", initial=iteration)

    def step(self, iteration: int) -> None:
        if self._line:
            self._line.update(iteration - self._line.n)

    def entry(self, iteration: int, values: Mapping[str, float]) -> None:
        """Show some metrics of an entry, whose values include `iterations_per_second`."""
        shown = {name: values[key] for key, name in SHOWN.items() if key in values}
        if self._line:
            self._line.show(shown)
            return
        rate = values["iterations_per_second"]
        left = timedelta(seconds=round((self._num_iterations - iteration) / rate))
        metrics = "  ".join(f"{name} {value:.3g}" for name, value in shown.items())
        progress = f"{iteration:>7}/{self._num_iterations}  {rate:.3g} iterations/s  {left} left"
        report(f"{progress}  {metrics}")

    def close(self) -> None:
        if self._line:
            self._line.close()
