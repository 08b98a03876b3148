"""JAX's persistent compilation cache.

Compiled programs are machine code, so a run's own cache is used only by the user who filled it, and
only where it was filled: its directory has a name that follows from the user's key, from its place
and from the file system's number of that place. Programs in a copied or downloaded run are ignored.
"""

import os
import stat
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import jax

from gcgan_jax.errors import UserError, why_unusable
from gcgan_jax.paths import local_path
from gcgan_jax.runtime.console import report
from gcgan_jax.runtime.distributed import is_main_process
from gcgan_jax.runtime.user_key import owned_alone, sign, user_key

FOLDER = "compiled"  # in a workdir


@contextmanager
def compilation_cache(directory: str | None, workdir: Path) -> Iterator[None]:
    """Let JAX cache compiled programs on disk within the context.

    If nothing can be stored, that is reported once, and programs are compiled again.

    Args:
        directory: the cache directory; None: JAX's own setting or, without one, the user's own
            directory below the workdir; "off": leave JAX's setting alone.
        workdir: the working directory of the run.
    """
    configured: str | None = jax.config.jax_compilation_cache_dir  # type: ignore[attr-defined]
    if directory == "off":
        yield
        return
    warnings.filterwarnings("ignore", "Error .* persistent compilation cache")
    if directory:
        directory = str(local_path(directory, "config.compilation_cache"))
    chosen = directory or configured
    with _given(chosen) if chosen else _own_below(workdir) as used:
        jax.config.update("jax_compilation_cache_dir", used)
        try:
            yield
        finally:
            jax.config.update("jax_compilation_cache_dir", configured)


@contextmanager
def _given(directory: str) -> Iterator[str | None]:
    """Yield a directory chosen by the user, or None if it is none."""
    if "://" in directory:  # JAX knows more file systems
        yield directory
        return
    path = Path(directory)
    try:
        path.mkdir(parents=True, exist_ok=True)
        _try_writing(path)
    except OSError as error:
        _report_unwritable(path, error)
    yield directory if path.is_dir() else None


@contextmanager
def _own_below(workdir: Path) -> Iterator[str | None]:
    """Yield the user's own cache directory below the workdir, or None if there can be none.

    What is still empty at the end is removed: an input that is rejected leaves nothing behind.
    """
    if os.path.lexists(workdir) and not workdir.is_dir():  # which is an error of the run
        yield None
        return
    created: list[Path] = []
    try:
        yield _own_directory(Path(os.path.realpath(workdir), FOLDER), created)
    finally:
        for path in reversed(created):
            with suppress(OSError):
                path.rmdir()


def _own_directory(folder: Path, created: list[Path]) -> str | None:
    """Return the user's own directory in `folder`; process 0 creates what is missing."""
    try:
        own = _open(folder, created)
        _try_writing(own)
    except FileNotFoundError:
        return None  # process 0 has not created it yet
    except (UserError, OSError) as error:
        if folder.parent.is_dir():  # else the run ends with a message of its own
            _report_unwritable(folder, error)
        return None
    return str(own)


def _open(folder: Path, created: list[Path]) -> Path:
    """Return the user's own directory in `folder`.

    Raises:
        UserError: there is no key, or something else has taken its place.
        OSError: it does not exist and cannot be created.
    """
    create = is_main_process()
    if create:
        _make(folder, created, 0o777)
    place = folder.lstat()
    if not stat.S_ISDIR(place.st_mode):
        raise NotADirectoryError
    own = folder / sign(user_key(), os.fsencode(folder), str(place.st_ino).encode())
    if create and not own.exists():
        if any(folder.iterdir()):
            report(f"{folder} holds programs of another user, place or version: they are not used")
        _make(own, created, 0o700)
    status = own.lstat()
    if not stat.S_ISDIR(status.st_mode) or not owned_alone(status):
        raise UserError(f"{own.name} belongs to others")
    return own


def _make(directory: Path, created: list[Path], mode: int) -> None:
    """Create a directory and those above it, and add to `created` what did not exist."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    for path in reversed(missing):
        with suppress(FileExistsError):
            path.mkdir(mode)
            created.append(path)


def _try_writing(directory: Path) -> None:
    with tempfile.TemporaryFile(dir=directory) as file:
        file.write(bytes(4096))
        file.flush()
        os.fsync(file.fileno())


def _report_unwritable(directory: Path, error: Exception) -> None:
    report(
        f"compiled programs cannot be cached in {directory} ({why_unusable(error)}): the next "
        "start compiles them again"
    )
