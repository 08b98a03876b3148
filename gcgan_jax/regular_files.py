"""Reading of regular files; pipes and devices may block for ever or never end."""

import os
import stat
from io import BufferedReader
from pathlib import Path

from gcgan_jax.errors import UserError

KINDS = {
    stat.S_IFDIR: "directory",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading, without waiting; links to files are followed.

    Raises:
        UserError: the path is a directory, pipe, device or socket, or a link to one.
        OSError: it does not exist or cannot be opened.
    """
    _require_regular(path, os.stat(path).st_mode)  # before opening, which a device may notice
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    return os.fdopen(os.open(path, flags), "rb")


def read_regular(path: Path) -> bytes:
    """Read a whole file; see `open_regular`."""
    with open_regular(path) as file:
        return file.read()


def _require_regular(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = KINDS.get(stat.S_IFMT(mode), "special file")
        raise UserError(f"{path} is a {kind}, not a file: remove or replace it")
