"""Progress of long work, as plain lines on the console: they suit a log file as well."""

import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

import numpy as np
from jax import Array
from tqdm import tqdm

from gcgan_jax.runtime.console import report

EVERY = 10.0  # seconds between lines, and before the first

T = TypeVar("T")
Batch = TypeVar("Batch", bound=Array | np.ndarray)


class _Lines(tqdm):
    """Prints `600 of 50000 images  123 images/s  0:06:41 left` instead of drawing a bar."""

    monitor_interval = 0  # no thread that would redraw a bar
    _lock = threading.RLock()  # tqdm's own one is shared with other processes

    def display(self, *_: Any, **__: Any) -> None:
        done, total, unit, elapsed = map(self.format_dict.get, ("n", "total", "unit", "elapsed"))
        rate = done / max(elapsed, 1e-9)  # a coarse clock may say 0
        shown = f"{done:.0f} {unit}  {rate:.3g} {unit}/s"
        if total is None:
            report(shown)
        elif done < total:
            left = timedelta(seconds=round((total - done) / rate))
            report(f"{done:.0f} of {total:.0f} {unit}  {rate:.3g} {unit}/s  {left} left")


def progress(
    items: Iterable[T],
    total: float | None,
    unit: str,
    count: Callable[[T], float] = lambda item: 1,
    every: float = EVERY,
) -> Iterator[T]:
    """The items, with progress, rate and time left on the console if the work on them takes long.

    Args:
        total: of all counts; None: unknown.
        unit: of the counts, in the plural.
        count: what an item counts for.
        every: seconds between lines, and before the first.
    """
    with _Lines(
        total=total, unit=unit, mininterval=every, delay=every, miniters=1, gui=True
    ) as lines:
        for item in items:
            yield item
            lines.update(count(item))


def image_progress(batches: Iterable[Batch], total: int) -> Iterator[Batch]:
    """Progress of batches of images, uint8 [devices, images of each, H, W, 3]."""
    return progress(batches, total, "images", lambda images: images.shape[0] * images.shape[1])
