"""Memory of this process."""

import ctypes


def release_freed_memory() -> None:
    """Returns freed memory to the operating system, where the C library can (glibc's malloc_trim).

    Left to itself glibc keeps what is free between blocks in use: a gibibyte after compiling.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)
