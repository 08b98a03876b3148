"""Mutual exclusion between processes, by locks of the operating system.

A lock is released when its process ends, even if it crashes. `fcntl` exists only on Unix, so it is
imported on use to keep the package importable elsewhere.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gcgan_jax.errors import UserError

FILE = "lock"


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Lock a directory, creating it if necessary.

    Raises:
        UserError: another process holds the lock, or the path is a file.
    """
    import fcntl

    if directory.exists() and not directory.is_dir():
        raise UserError(f"--workdir={directory} is a file: choose a directory")
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / FILE
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise UserError(
                f"--workdir={directory} is in use by {file.read().strip() or 'another process'}: "
                "wait until it ends, or use another --workdir"
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield


@contextmanager
def exclusive_access(path: Path) -> Iterator[None]:
    """Wait for exclusive access to a file among processes that use this function.

    The lock is a separate file: `path` itself may be replaced while it is locked. The lock is not a
    directory, as network file systems only lock files that are open for writing.
    """
    import fcntl

    with path.with_name(f"{path.name}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
