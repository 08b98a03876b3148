"""Files that are written whole or not at all, and errors that name them."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

OF_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Lets `write` fill a file beside `path`, then puts it in its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        with naming(path), part.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes a text whole or not at all."""
    write_atomically(path, lambda file: file.write(text.encode()))


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Puts the path into errors of a disk, which do not say which file they are of."""
    try:
        yield
    except OSError as error:
        if error.errno in OF_DISK:
            error.filename = error.filename or str(path)
        raise
