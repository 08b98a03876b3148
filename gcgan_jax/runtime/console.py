"""Messages on the console, from process 0 alone."""

import sys

from gcgan_jax.runtime.distributed import is_main_process
from gcgan_jax.runtime.live_line import print_above


def report(message: str) -> None:
    """Print a message immediately, in process 0 only."""
    if is_main_process():
        print_above(message)


def has_terminal() -> bool:
    """Whether a live line can be shown."""
    return is_main_process() and sys.stdout.isatty()
