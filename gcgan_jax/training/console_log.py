"""Progress of training on the console."""

from collections.abc import Mapping

from gcgan_jax.runtime.console import has_terminal, report
from gcgan_jax.runtime.live_line import LiveLine
from gcgan_jax.runtime.progress import pace

SHOWN = {  # metrics, and their names on the console
    "wasserstein": "wasserstein",
    "gradient_norm": "gradient norm",
    "d_real": "D(real)",
    "d_fake": "D(fake)",
    "twins/diagonal_correlation": "diagonal correlation",
    **dict.fromkeys(("echo/agreement", "far_echo/agreement"), "agreement"),
    **dict.fromkeys(("mirror/agreement", "palette/agreement"), "agreement"),
    "parity/parity": "parity",
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
        metrics = "  ".join(f"{SHOWN[key]} {values[key]:.3g}" for key in SHOWN if key in values)
        if self._line:
            self._line.set_postfix_str(metrics)
            return
        remaining = self._num_iterations - iteration
        progress = pace(remaining, values["iterations_per_second"], "iterations")
        report(f"{iteration:>7}/{self._num_iterations}  {progress}  {metrics}")

    def close(self) -> None:
        if self._line:
            self._line.close()
