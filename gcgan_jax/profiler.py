"""A profiler trace of chosen iterations."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jax

from gcgan_jax.config import Config
from gcgan_jax.log import say


class Profiler:
    """Traces all calls that do iterations of `config.profile`, in one trace under the workdir."""

    def __init__(self, config: Config, workdir: Path) -> None:
        self._first, self._last = config.profile or (0, 0)
        self._directory = workdir / "tensorboard"
        self._tracing = False

    @contextmanager
    def call(self, before: int, after: int) -> Iterator[None]:
        """Around the call that goes on from iteration `before` to `after`, and waits for it."""
        if not self._tracing and self._first <= after and before < self._last:
            jax.profiler.start_trace(self._directory)
            self._tracing = True
        yield
        if self._tracing and after >= self._last:
            jax.profiler.stop_trace()
            self._tracing = False
            say(f"profiler trace: {self._directory}/plugins/profile")
