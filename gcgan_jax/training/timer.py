"""Time spent in the compiled training step."""

import time
from types import TracebackType


class StepTimer:
    """Measures calls of the step: `with timer: ...` around each."""

    def __init__(self, iterations_per_call: int) -> None:
        self._iterations_per_call = iterations_per_call
        self._started = self._entered = time.perf_counter()
        self._busy = 0.0  # seconds in calls
        self._lap_calls, self._lap_busy = 0, 0.0

    def __enter__(self) -> None:
        self._entered = time.perf_counter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        took = time.perf_counter() - self._entered
        self._busy += took
        self._lap_busy += took
        self._lap_calls += 1

    def lap(self) -> float:
        """Return the iterations per second of the calls since the previous lap."""
        rate = self._lap_calls * self._iterations_per_call / self._lap_busy
        self._lap_calls, self._lap_busy = 0, 0.0
        return rate

    def __str__(self) -> str:
        passed = time.perf_counter() - self._started
        return f"{passed:.0f} s, {self._busy / passed:.1%} of it in the compiled step"
