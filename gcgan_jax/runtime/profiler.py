"""A profiler trace of chosen iterations."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jax

from gcgan_jax.runtime.console import report


class Profiler:
    """Traces all calls that do iterations `first` to `last`, in one trace."""

    def __init__(self, iterations: tuple[int, ...] | None, directory: Path) -> None:
        """
        Args:
            iterations: (first, last); None: nothing is traced.
        """
        self._iterations, self._directory = iterations, directory
        self._tracing = False

    @contextmanager
    def call(self, before: int, after: int) -> Iterator[None]:
        """Around the call that goes on from iteration `before` to `after`, and waits for it."""
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
