"""Atomic writes, and disk errors that name the file.

Whatever is written grows under a temporary name that no other process uses, beside its target. Its
writer holds a lock on it, which ends with the writer, so that `remove_leftovers` recognises what
killed writers left behind.
"""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

from gcgan_jax.errors import UserError, disk_error

PART = ".*.gcgan.part"  # temporary names
OLD_PARTS = (  # those of version 0.1, whose writers held no lock
    *("*.json.part", "*.jsonl.part", "*.png.part", "*.gif.part", "*.npz.part"),
    *("SHA256SUMS.part", "format.part", "samples-???????.part", "samples-???????-ema.part"),
)
SHOWN = 48  # characters of the target's name in a temporary name, which must not become too long
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a temporary file next to `path`, then rename it to `path`.

    A link at `path` is replaced, not followed. The last directory of `path` is created.

    Raises:
        OSError: naming `path`.
    """
    with _temporary(path, _create_file) as (temporary, descriptor):
        with name_path_in_errors(path), os.fdopen(descriptor, "wb", closefd=False) as file:
            write(file)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    write_atomically(path, lambda file: file.write(text.encode()))


def write_folder(folder: Path, fill: Callable[[Path], object]) -> None:
    """Let `fill` write files into a temporary folder next to `folder`, then rename it to `folder`.

    An existing folder is replaced.

    Raises:
        UserError: `folder` is a link or a file.
        OSError: a file or folder cannot be written.
    """
    _require_replaceable(folder)
    with _temporary(folder, _create_folder) as (temporary, _):
        fill(temporary)
        _replace_folder(folder, temporary)


def remove_leftovers(directory: Path) -> None:
    """Remove the temporary files and folders of killed writers below a directory.

    Those of writers that are still running are kept, and links are neither followed nor removed.
    """
    for parent, folders, files in os.walk(directory):
        for name in filter(_is_temporary, [*folders, *files]):
            remove_abandoned(Path(parent, name))
        folders[:] = [name for name in folders if not _is_temporary(name)]


def remove_abandoned(path: Path) -> None:
    """Remove a temporary file or folder, unless its writer is still running."""
    with suppress(OSError):  # another process removed it, or it cannot be removed
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            return
        # Network file systems lock only what is open for writing, which a folder cannot be.
        access = os.O_RDONLY if path.is_dir() else os.O_RDWR
        descriptor = os.open(path, access | NO_FOLLOW | getattr(os, "O_NONBLOCK", 0))
        try:
            if _lock(descriptor, wait=False):
                remove(path)
        finally:
            os.close(descriptor)


def remove(path: Path) -> None:
    """Remove a directory or file, if it exists; of a link, only the link itself."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def name_path_in_errors(path: Path) -> Iterator[None]:
    """Let errors of a full or failing disk name `path`, also those of libraries."""
    try:
        yield
    except Exception as error:
        number = disk_error(error)
        if number is None:
            raise
        raise OSError(number, os.strerror(number), str(path)) from error


@contextmanager
def _temporary(path: Path, create: Callable[[Path], int]) -> Iterator[tuple[Path, int]]:
    """Yield a new, locked file or folder next to `path` and its descriptor; remove it at the end.

    Errors that name it are made to name `path`.

    Args:
        create: function that creates and opens it.
    """
    temporary = _temporary_name(path)
    try:
        path.parent.mkdir(exist_ok=True)
        descriptor = create(temporary)
        _lock(descriptor)
        while not os.path.lexists(temporary):  # removed as a leftover before it was locked
            os.close(descriptor)
            descriptor = create(temporary)
            _lock(descriptor)
        try:
            yield temporary, descriptor
        finally:
            os.close(descriptor)
            with suppress(OSError):
                remove(temporary)
    except OSError as error:
        if str(error.filename).startswith(str(temporary)):
            error.filename = str(path) + str(error.filename)[len(str(temporary)) :]
            error.filename2 = None
        raise


def _create_file(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | NO_FOLLOW | getattr(os, "O_BINARY", 0)
    return os.open(path, flags, 0o666)


def _create_folder(path: Path) -> int:
    while True:
        path.mkdir()
        with suppress(FileNotFoundError):  # removed as a leftover before it was opened
            return os.open(path, os.O_RDONLY)


def _temporary_name(path: Path) -> Path:
    return path.with_name(f".{path.name[:SHOWN]}.{secrets.token_hex(8)}.gcgan.part")


def _is_temporary(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in (PART, *OLD_PARTS))


def _require_replaceable(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        kind = "link" if folder.is_symlink() else "file"
        raise UserError(f"{folder} is a {kind}, not a folder of images: remove or rename it")


def _replace_folder(folder: Path, new: Path) -> None:
    """Rename `new` to `folder`, and remove what `folder` held before."""
    _require_replaceable(folder)
    previous = _temporary_name(folder)
    with suppress(FileNotFoundError):
        folder.rename(previous)
    try:
        new.rename(folder)
    except OSError:
        with suppress(OSError):
            previous.rename(folder)
        raise
    shutil.rmtree(previous, ignore_errors=True)


def _lock(descriptor: int, wait: bool = True) -> bool:
    """Try to lock an open file or folder; the lock ends with this process at the latest."""
    try:
        import fcntl  # exists only on Unix

        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except (ImportError, OSError):
        return False
    return True
