"""Timing of asynchronous calls, on a clock that the calls advance."""

import pytest

from scripts.benchmark.cases import parse
from scripts.benchmark.timing import AT_ONCE, calls_at_once, measure, summarise


class Device:
    """Starts calls at once, and takes `seconds` each; waiting takes `overhead` more."""

    def __init__(self, seconds: float, overhead: float = 0.0) -> None:
        self.seconds, self.overhead = seconds, overhead
        self.now, self.pending, self.started = 0.0, 0, 0

    def run(self) -> None:
        self.pending += 1
        self.started += 1

    def wait(self, _: object) -> None:
        self.now += self.pending * self.seconds + self.overhead
        self.pending = 0

    def measure(self, seconds: float, **options: int) -> tuple[list[float], int]:
        result = measure(self.run, self.wait, seconds, clock=lambda: self.now, **options)
        return result["seconds"], result["calls"]


@pytest.mark.parametrize(
    ("seconds", "calls", "repetitions"),
    [(1.0, 1, 3), (0.1, 1, 10), (1e-3, 20, 50), (0, AT_ONCE, 50)],
)
def test_short_calls_are_timed_several_at_a_time(
    seconds: float, calls: int, repetitions: int
) -> None:
    device = Device(seconds)
    times, at_once = device.measure(0.99)
    assert at_once == calls and len(times) == repetitions
    assert times == pytest.approx([seconds] * repetitions)
    assert device.pending == 0 and device.started == 2 + calls * (repetitions + 1)  # warmed up


def test_calls_at_once_share_the_overhead() -> None:
    assert Device(1e-3, overhead=1e-3).measure(1)[0][0] == pytest.approx(1.1e-3)
    assert Device(1e-3, overhead=1e-3).measure(1, at_once=1)[0][0] == pytest.approx(2e-3)


def test_median_and_quartiles() -> None:
    assert summarise([5.0, 1.0, 2.0, 4.0, 3.0]) == (3, 2, 4)


def test_iterations_are_timed_one_by_one() -> None:
    assert calls_at_once(parse("iteration:baseline@32")) == 1
    assert calls_at_once(parse("gradient:ecc:8@32")) == AT_ONCE
