"""Progress of long tasks: a live line on a terminal, plain lines elsewhere."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any, TypeVar

import numpy as np
from jax import Array

from gcgan_jax.runtime.console import has_terminal, report
from gcgan_jax.runtime.live_line import Bar, LiveLine

EVERY = 10.0  # seconds between plain lines, and before the first
DELAY = 1.0  # seconds before a live line appears

T = TypeVar("T")
Batch = TypeVar("Batch", bound=Array | np.ndarray)


class _PlainLines(Bar):
    """Prints `600 of 50000 images  123 images/s  0:06:41 left` instead of drawing a bar."""

    def display(self, *_: Any, **__: Any) -> None:
        done, total, unit, elapsed = map(self.format_dict.get, ("n", "total", "unit", "elapsed"))
        rate = done / max(elapsed, 1e-9)  # a coarse clock may report 0
        if total is None:
            report(f"{done:.0f} {unit}  {rate:.3g} {unit}/s")
        elif done < total:
            report(f"{done:.0f} of {total:.0f} {unit}  {pace(total - done, rate, unit)}")


def progress(
    items: Iterable[T],
    total: float | None,
    unit: str,
    count: Callable[[T], float] = lambda item: 1,
    every: float = EVERY,
) -> Iterator[T]:
    """Yield the items; if that takes long, show progress, rate and time left.

    Args:
        total: sum of all counts; None: unknown.
        unit: what is counted, in the plural.
        count: function that returns how many units an item is.
        every: seconds between plain lines, and before the first.
    """
    with _bar(total, unit, every) as bar:
        for item in items:
            yield item
            bar.update(count(item))


def image_progress(batches: Iterable[Batch], total: int) -> Iterator[Batch]:
    """Apply `progress` to batches of images, uint8 [devices, images per device, H, W, F]."""
    return progress(batches, total, "images", lambda images: images.shape[0] * images.shape[1])


def pace(remaining: float, rate: float, unit: str) -> str:
    """Describe the rate, in units per second, and the time that the remaining units take."""
    return f"{rate:.3g} {unit}/s  {timedelta(seconds=round(remaining / rate))} left"


def _bar(total: float | None, unit: str, every: float) -> Bar:
    if has_terminal():
        return LiveLine(total, unit, delay=DELAY)
    nowhere = StringIO()  # otherwise `report` would clear and redraw a bar that does not exist
    return _PlainLines(
        total=total, unit=unit, mininterval=every, delay=every, miniters=1, gui=True, file=nowhere
    )
