"""Opening of regular files only; pipes and devices may block for ever or never end."""

import os
import stat
from io import BufferedRandom, BufferedReader
from pathlib import Path

from gcgan_jax.errors import UserError

KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFLNK: "link",
    stat.S_IFDIR: "directory",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


def kind_of(mode: int) -> str:
    """Name what a mode, as `os.stat` returns it, belongs to."""
    return KINDS.get(stat.S_IFMT(mode), "special file")


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


def open_append(path: Path) -> BufferedRandom:
    """Open a file for reading and appending, without waiting; create it if it does not exist.

    Raises:
        UserError: the path is a link, directory, pipe, device or socket.
        OSError: it cannot be opened or created.
    """
    if os.path.lexists(path):
        _require_regular(path, os.lstat(path).st_mode)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
    for name in ("O_BINARY", "O_NONBLOCK", "O_NOFOLLOW"):  # not on all platforms
        flags |= getattr(os, name, 0)
    return os.fdopen(os.open(path, flags, 0o666), "a+b")


def _require_regular(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise UserError(f"{path} is a {kind_of(mode)}, not a file: remove or replace it")
