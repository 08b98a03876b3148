"""Messages on the console."""

from gcgan_jax.runtime.distributed import is_main_process


def report(line: str) -> None:
    """One line for the person at the console, at once, from the first process alone."""
    if is_main_process():
        print(line, flush=True)
