"""Messages on the console."""

from gcgan_jax.runtime.distributed import is_first


def say(line: str) -> None:
    """One line for the person at the console, at once, from the first process alone."""
    if is_first():
        print(line, flush=True)
