"""Mutual exclusion between processes, by locks of the operating system.

A lock is released when its process ends, even if it crashes. `fcntl` exists only on Unix, so it is
imported on use to keep the package importable elsewhere.
"""

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from gcgan_jax.errors import UserError
from gcgan_jax.regular_files import kind_of
from gcgan_jax.storage.atomic import name_path_in_errors

FILE = "lock"
HOLDER_LENGTH = 200  # longest text that is read from a lock


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Lock a directory, creating it if necessary.

    Raises:
        UserError: another process holds the lock, the path is not a directory, or a link or
            anything else that is not a file stands in the lock's place.
    """
    import fcntl

    _require_directory(directory)
    directory.mkdir(parents=True, exist_ok=True)
    with _open_lock(directory / FILE) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = file.read(HOLDER_LENGTH).strip() or "another process"
            raise UserError(
                f"--workdir={directory} is in use by {holder}: "
                "wait until it ends, or use another --workdir"
            ) from None
        if os.fstat(file.fileno()).st_nlink == 1:  # else it is also a file elsewhere
            with name_path_in_errors(directory / FILE):
                os.truncate(file.fileno(), 0)  # unbuffered: closing would repeat an error
                os.write(
                    file.fileno(), f"process {os.getpid()} on {socket.gethostname()}\n".encode()
                )
        yield


@contextmanager
def exclusive_access(path: Path) -> Iterator[None]:
    """Wait for exclusive access to a file among processes that use this function.

    The lock is a separate file: `path` itself may be replaced while it is locked. The lock is not a
    directory, as network file systems only lock files that are open for writing.

    Raises:
        UserError: a link or anything else that is not a file stands in the lock's place.
    """
    import fcntl

    with _open_lock(path.with_name(f"{path.name}.lock")) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _require_directory(path: Path) -> None:
    """Check that there is a directory or nothing; a link to nothing is neither."""
    if path.is_dir() or not os.path.lexists(path):
        return
    kind = "link to nothing"
    with suppress(OSError):
        kind = kind_of(path.stat().st_mode)
    raise UserError(f"--workdir={path} is a {kind}: choose a directory")


def _open_lock(path: Path) -> TextIO:
    """Open a lock file for reading and writing, creating it if necessary; never follow a link."""
    with suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            raise UserError(f"{path} is a {kind_of(mode)}, but must be a file: remove or rename it")
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    return os.fdopen(os.open(path, flags, 0o666), "r+", errors="replace")
