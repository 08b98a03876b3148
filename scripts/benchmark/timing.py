"""Timing of calls that a device may compute asynchronously."""

import math
import statistics
import time
from collections.abc import Callable
from typing import Any

from scripts.benchmark.cases import Case

SHORT = 0.02  # seconds; shorter calls are timed several at a time
AT_ONCE = 500  # most calls at a time
FEWEST, MOST = 3, 50  # repetitions


def measure(
    run: Callable[[], Any],
    wait: Callable[[Any], object],
    seconds: float,
    at_once: int = AT_ONCE,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Any]:
    """Time a compiled run after warming it up.

    The time to start a call and to wait for it would dominate short calls. Several of these are
    therefore started before the last one is waited for, and share the time equally.

    Args:
        wait: function that waits until what a call returned, and all before it, is computed.
        seconds: time after which no repetition is started, if there are a few.
        at_once: most calls to start before waiting; 1: wait for each.

    Returns:
        "seconds" per call, in each repetition, and the "calls" of a repetition.
    """

    def repeat(calls: int) -> float:
        start = clock()
        for _ in range(calls):
            result = run()
        wait(result)
        return (clock() - start) / calls

    repeat(1)
    calls = min(at_once, math.ceil(SHORT / max(repeat(1), SHORT / AT_ONCE)))
    repeat(calls)
    times: list[float] = []
    start = clock()
    while len(times) < FEWEST or (len(times) < MOST and clock() - start < seconds):
        times.append(repeat(calls))
    return {"seconds": times, "calls": calls}


def calls_at_once(case: Case) -> int:
    """Return the most calls to time at once: training waits for each, to read its metrics."""
    return 1 if case.task == "iteration" else AT_ONCE


def summarise(times: list[float]) -> tuple[float, float, float]:
    """Return the median and the quartiles around it."""
    low, median, high = statistics.quantiles(times, n=4, method="inclusive")
    return median, low, high
