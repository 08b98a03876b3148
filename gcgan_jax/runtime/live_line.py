"""One line on a terminal that is updated in place."""

import shutil
import sys
import threading
from typing import IO, Any

from tqdm import tqdm

from gcgan_jax.runtime.printable import printable

COLUMNS = 120  # maximum width


class Bar(tqdm):
    """tqdm within this process alone."""

    monitor_interval = 0  # start no thread that redraws it
    _lock = threading.RLock()  # tqdm's own lock is shared with other processes


class LiveLine(Bar):
    """A progress bar on standard output: `300/500 iterations [01:40<01:07, 3.0 iterations/s]`."""

    def __init__(self, total: float | None, unit: str, initial: float = 0, **options: Any) -> None:
        columns = min(COLUMNS, shutil.get_terminal_size().columns - 1)
        super().__init__(
            total=total,
            initial=initial,
            unit=f" {unit}",
            ncols=columns,
            file=sys.stdout,
            leave=False,
            **options,
        )


def print_above(message: str, file: IO[str] | None = None) -> None:
    """Print a message immediately, escaped and shortened; a live line moves below it."""
    LiveLine.write(printable(message), file=file or sys.stdout)
    (file or sys.stdout).flush()
