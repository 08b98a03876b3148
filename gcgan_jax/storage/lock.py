"""One process at a time, by locks of the operating system.

They are released when their process ends, however that ends. `fcntl` exists on Unix alone: it is
imported where a lock is taken, so that the package can be imported anywhere.
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
    """Holds the directory, which is created if necessary.

    Raises:
        UserError: another process holds it, or it is no directory.
    """
    import fcntl

    if directory.exists() and not directory.is_dir():
        raise UserError(f"--workdir={directory} is a file: name a directory")
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / FILE
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise UserError(
                f"--workdir={directory} is in use by {file.read().strip() or 'another process'}: "
                "wait until it has ended, or use another --workdir"
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield


@contextmanager
def exclusive_access(path: Path) -> Iterator[None]:
    """Waits while another process is in such a block for the file.

    The lock is a file of its own beside it: the other may be replaced meanwhile, and network file
    systems lock no file that is not open for writing, so no directory.
    """
    import fcntl

    with path.with_name(f"{path.name}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
