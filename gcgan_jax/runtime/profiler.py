"""Profiler trace of a range of iterations."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jax

from gcgan_jax.runtime.console import report


class Profiler:
    """Writes one trace of all calls of the training step that include the chosen iterations."""

    def __init__(self, iterations: tuple[int, ...] | None, directory: Path) -> None:
        """
        Args:
            iterations: the first and last iteration to trace; None: no tracing.
            directory: the directory for the trace.
        """
        self._iterations, self._directory = iterations, directory
        self._tracing = False

    @contextmanager
    def call(self, before: int, after: int) -> Iterator[None]:
        """Wrap a blocking call that advances training from iteration `before` to `after`."""
        if self._iterations is None:
            yield
            return
        first, last = self._iterations
        if not self._tracing and first <= after and before < last:
            jax.profiler.start_trace(self._directory)
            self._tracing = True
        yield
        if self._tracing and after >= last:
            jax.profiler.stop_trace()
            self._tracing = False
            report(f"profiler trace: {self._directory}/plugins/profile")
