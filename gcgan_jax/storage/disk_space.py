"""Free disk space, found out before a library writes that reports its absence at length."""

import errno
import os
import tempfile
from pathlib import Path

UNSUPPORTED = (errno.EINVAL, errno.EOPNOTSUPP)


def require_space(directory: Path, size: int) -> None:
    """Allocate a temporary file of `size` bytes in a directory, which quotas and limits count too.

    Does nothing where the operating system cannot allocate.

    Raises:
        OSError: it does not fit; names the directory.
    """
    if not hasattr(os, "posix_fallocate"):
        return
    with tempfile.TemporaryFile(dir=directory) as file:
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise OSError(error.errno, error.strerror, str(directory)) from None
