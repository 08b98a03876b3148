"""Errors and their one-line messages."""

import errno
import os
from collections.abc import Mapping
from pathlib import Path

DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
OUT_OF_MEMORY = ("RESOURCE_EXHAUSTED", "Out of memory")  # in XLA's messages


class UserError(Exception):
    """An error that the user can fix; its one-line message names the field, value and remedy."""


class NotFiniteError(UserError):
    """A NaN or infinity in the metrics or the state of training."""


def one_line(error: Exception, choices: Mapping[Path, str] | None = None) -> str:
    """Describe an error in one line, with a remedy if one is known.

    Args:
        choices: directories that are written to, and the flags that choose others.
    """
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError):
        return _describe_os_error(error, choices or {})
    number = disk_error(error)
    if number is not None:
        return _describe_os_error(OSError(number, os.strerror(number)), choices or {})
    detail = (str(error).strip() or "no message").splitlines()[0]
    if isinstance(error, MemoryError) or any(phrase in str(error) for phrase in OUT_OF_MEMORY):
        return (
            f"out of memory ({detail}): reduce config.batch_size or config.generator.width, or use "
            "more devices"
        )
    return (
        f"internal error: {type(error).__name__}: {detail}; please report it with the traceback "
        "that --verbose_errors prints"
    )


def disk_error(error: BaseException) -> int | None:
    """Return the errno of a full or failing disk behind an error; None if there is none.

    Libraries in C++ mention it in the message of an error of another type.
    """
    if isinstance(error, OSError) and error.errno in DISK_ERRORS:
        return error.errno
    found = (number for number in DISK_ERRORS if os.strerror(number) in str(error))
    return next(found, disk_error(error.__cause__) if error.__cause__ else None)


def why_unusable(error: Exception) -> str:
    """Say in a few words why a directory cannot be used, without its name."""
    if isinstance(error, FileExistsError | NotADirectoryError):
        return "it is not a directory"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _describe_os_error(error: OSError, choices: Mapping[Path, str]) -> str:
    detail = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{detail}: free disk space, then rerun the same command to resume"
    if error.errno == errno.EFBIG:
        return f"{detail}: raise the limit (ulimit -f), then rerun the same command to resume"
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST):
        for directory, flag in choices.items():
            if _on_one_path(os.fspath(error.filename or ""), directory):
                return f"{detail}: choose a writable directory, for example with {flag}=DIR"
        return f"{detail}: check the path and its permissions"
    return detail


def _on_one_path(name: str, directory: Path) -> bool:
    """Whether a path is a directory, is in it or is one of its parents."""
    path, directory = Path(os.path.abspath(name)), Path(os.path.abspath(directory))
    return path.is_relative_to(directory) or directory.is_relative_to(path)
